"""Drafting for a whole desk against a real server: budget, cache, breaker, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.errors import NothingToDoError, SettingError
from newsletter.model import Story
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import notes, stories
from newsletter.schedule import day

from . import model_server as served
from .conftest import NOW
from .model_server import ModelServer, model_server


def a_story(number: int) -> Story:
    return Story(
        source="wire",
        external_id=str(number),
        url=f"https://wire.example/{number}",
        title=f"Quay {number} opens in Harwick",
        summary="The port of Harwick opened a quay.",
        outlet="The Wire",
        country="SG",
        published_at=NOW - timedelta(minutes=number),
    )


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with model_server() as model:
        yield model


@pytest.fixture
def room(model: ModelServer, tmp_path: Path) -> Iterator[Newsroom]:
    desks.make_sample_desk(tmp_path / "desk")
    flags = {"now": NOW.isoformat(), "summary_budget": "6"}
    flags |= {"summary_url": f"http://127.0.0.1:{model.port}/v1", "summary_model": "small-model", "summary_key": "k"}
    with Newsroom.open(tmp_path / "desk", flags, environ={}) as room:
        room.stories.ingest([a_story(number) for number in range(9)], NOW)
        yield room


def drafted(room: Newsroom) -> list[notes.Drafted]:
    return list(notes.draft_notes(room, notes.waiting(room)))


def test_a_draft_is_kept_held_with_where_it_came_from(room: Newsroom, model: ModelServer) -> None:
    first = next(notes.draft_notes(room, notes.waiting(room)))
    story = room.stories.get(first.story)
    assert story.note == first.note == ("The port opened.",)
    assert story.shown_note == ()
    assert story.note_provenance is not None
    assert story.note_provenance.model == "small-model"
    assert [held.id for held in notes.held(room)] == [story.id]
    assert [event.who for event in room.stories.events(story.id)] == ["model small-model"]
    stories.approve_note(room, story.id, "chief")
    assert notes.held(room) == []


def test_the_budget_is_a_hard_stop_until_midnight(room: Newsroom, model: ModelServer) -> None:
    assert len(drafted(room)) == 6
    assert len(model.asked) == 6
    with pytest.raises(NothingToDoError, match=r"budget of 6 drafts is used up"):
        drafted(room)
    assert len(model.asked) == 6


def test_the_same_words_are_asked_for_once(room: Newsroom, model: ModelServer) -> None:
    model.behaviour = served.notes("Nobody said 99 things.")
    (refused,) = list(notes.draft_notes(room, [a_story(1)]))
    assert refused.reason is not None
    assert "does not stand in the story" in refused.reason
    (again,) = list(notes.draft_notes(room, [a_story(1)]))
    assert again.cached
    assert len(model.asked) == 1
    assert "wire:1" not in {story.id for story in notes.waiting(room)}
    assert "wire:1" in {story.id for story in notes.waiting(room, again=True)}
    (anew,) = list(notes.draft_notes(room, [a_story(1)], again=True))
    assert not anew.cached
    assert len(model.asked) == 2
    room.stories.ingest([replace(a_story(1), summary="Nobody said 99 things before.")], NOW)
    (other,) = list(notes.draft_notes(room, [room.stories.get("wire:1")]))
    assert other.note == ("Nobody said 99 things.",)
    assert len(model.asked) == 3


def test_three_failures_open_the_breaker(room: Newsroom, model: ModelServer) -> None:
    model.behaviour = served.raw(b"", 500)
    assert len(drafted(room)) == 3
    assert len(model.asked) == 3
    with pytest.raises(NothingToDoError, match="failed 3 times in a row"):
        drafted(room)


def test_a_story_that_changed_meanwhile_gets_no_note(room: Newsroom, model: ModelServer) -> None:
    def slow(request: object) -> None:
        room.stories.ingest([replace(a_story(0), summary="Other words.")], NOW)
        served.notes("The port opened.")(request)  # type: ignore[arg-type]

    model.behaviour = slow
    (found,) = list(notes.draft_notes(room, [room.stories.get("wire:0")]))
    assert found.reason == "the story changed meanwhile"
    assert room.stories.get("wire:0").note == ()


def test_the_clock_drafts_a_few_at_a_time_and_never_raises(room: Newsroom, model: ModelServer) -> None:
    day.draft(room)
    assert len(model.asked) == day.DRAFTS_AT_ONCE
    day.draft(room)
    day.draft(room)
    assert len(model.asked) == 6


def test_stories_that_get_no_note_do_not_hold_up_the_others(room: Newsroom, model: ModelServer) -> None:
    model.behaviour = served.notes("Nobody said 99 things.")
    day.draft(room)
    model.behaviour = served.notes("The port opened.")
    day.draft(room)
    assert len(notes.held(room)) == min(day.DRAFTS_AT_ONCE, 6 - day.DRAFTS_AT_ONCE)


def test_a_rejected_note_is_not_drafted_again(room: Newsroom, model: ModelServer) -> None:
    next(notes.draft_notes(room, [a_story(0)]))
    stories.reject_note(room, "wire:0", "chief")
    assert "wire:0" not in {story.id for story in notes.waiting(room)}


def test_half_an_endpoint_is_said(tmp_path: Path) -> None:
    desks.make_sample_desk(tmp_path / "other")
    with Newsroom.open(tmp_path / "other", {"summary_url": "http://127.0.0.1:1/v1"}, environ={}) as room:
        with pytest.raises(SettingError, match="SUMMARY_MODEL"):
            notes.endpoint_of(room)
        assert notes.waiting(room) == []
    with Newsroom.open(tmp_path / "other", environ={}) as room, pytest.raises(SettingError, match="SUMMARY_URL"):
        list(notes.draft_notes(room, []))
