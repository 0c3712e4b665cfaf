"""Related reading and copies as they are kept: what arrives, changes and goes, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError, NotFoundError
from newsletter.model import Story, StoryStatus
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import related, stories
from newsletter.storage import Choice

from .conftest import NOW

CHIPS = "Samsung raises memory chip output in Pyeongtaek"
MORE_CHIPS = "Memory chip makers follow Samsung into Pyeongtaek boom"
OTHERS = (
    "Monsoon floods close schools across Kerala",
    "Tokyo court rules on music copyright",
    "Hanoi plans a second metro line by 2030",
    "Singapore Airlines orders forty jets",
    "Jakarta moves ministries to Nusantara",
)


def kept(room: Newsroom) -> dict[str, list[str]]:
    return {name: [row.id for row in rows] for name, rows in related.kept(room, 10).items()}


@pytest.fixture
def filled(room: Newsroom, a_story: Callable[..., Story]) -> Newsroom:
    corpus = [a_story("chips", CHIPS), *(a_story(f"o{n}", title) for n, title in enumerate(OTHERS))]
    room.stories.ingest(corpus, NOW)
    assert related.keep_up(room) == len(corpus)
    return room


def test_what_arrives_is_related_and_old_stories_learn_of_it(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    assert kept(filled)["wire:chips"] == []
    filled.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    assert related.keep_up(filled) == 1
    assert kept(filled)["wire:more"] == ["wire:chips"]
    assert kept(filled)["wire:chips"] == ["wire:more"]
    (row,) = filled.story_links.kept(["wire:more"])["wire:more"]
    assert {"Samsung", "Pyeongtaek"} <= set(row.reasons)
    assert 0.2 <= row.score <= 1
    assert related.keep_up(filled) == 0


def test_what_changed_is_related_anew_on_both_sides(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    filled.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    related.keep_up(filled)
    filled.stories.ingest([a_story("more", "Kerala schools reopen after monsoon floods")], NOW)
    assert related.keep_up(filled) == 1
    found = kept(filled)
    assert (found["wire:more"], found["wire:chips"], found["wire:o0"]) == (["wire:o0"], [], ["wire:more"])


def test_what_is_withdrawn_is_offered_no_more(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    filled.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    related.keep_up(filled)
    stories.set_status(filled, "wire:more", StoryStatus.WITHDRAWN, "chief", "wrong")
    related.keep_up(filled)
    assert kept(filled) == {"wire:chips": []} | {f"wire:o{n}": [] for n in range(len(OTHERS))}
    assert [event.why for event in filled.stories.events("wire:more")] == ["wrong"]
    stories.set_status(filled, "wire:more", StoryStatus.READY, "chief")
    related.keep_up(filled)
    assert kept(filled)["wire:chips"] == ["wire:more"]


def test_the_index_is_made_again_from_the_database(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    before = kept(filled)
    shutil.rmtree(filled.desk / ".index")
    del filled.__dict__["story_index"]
    filled.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    assert related.keep_up(filled) == 1
    assert kept(filled)["wire:more"] == ["wire:chips"]
    assert kept(filled)["wire:o0"] == before["wire:o0"]


def test_a_damaged_index_is_made_again(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    (folder,) = (filled.desk / ".index").iterdir()
    for file in folder.iterdir():
        file.write_bytes(b"damaged")
    del filled.__dict__["story_index"]
    filled.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    related.keep_up(filled)
    assert kept(filled)["wire:more"] == ["wire:chips"]


def test_an_index_from_a_later_time_of_the_database_is_made_again(
    light_room: Newsroom, a_story: Callable[..., Story], tmp_path: Path
) -> None:
    """A restored backup: the index knows of stories that are not there any more."""
    room = light_room
    room.stories.ingest([a_story("chips", CHIPS)], NOW)
    related.keep_up(room)
    room.database.backup(tmp_path / "backup.db")
    room.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    related.keep_up(room)
    room.close()
    for leftover in room.desk.glob("newsletter.db*"):
        if leftover.is_file():
            leftover.unlink()
    shutil.copy(tmp_path / "backup.db", room.desk / "newsletter.db")
    with Newsroom.open(room.desk, {"now": NOW.isoformat()}, environ={}) as restored:
        related.take_in(restored)
        assert len(restored.story_index) == 1


def test_pins_stand_first_and_bans_are_kept(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    filled.stories.ingest([a_story("more", MORE_CHIPS)], NOW)
    related.keep_up(filled)
    related.choose(filled, "wire:chips", "wire:o3", Choice.PIN, "chief")
    assert kept(filled)["wire:chips"] == ["wire:o3", "wire:more"]
    assert kept(filled)["wire:o3"] == []
    related.choose(filled, "wire:chips", "wire:more", Choice.BAN, "chief")
    assert kept(filled)["wire:chips"] == ["wire:o3"]
    related.choose(filled, "wire:chips", "wire:more", Choice.PIN, "chief")
    offers = related.offers(filled, [filled.stories.get("wire:chips")])["wire:chips"]
    assert [(offer.story.id, offer.pinned) for offer in offers] == [("wire:o3", True), ("wire:more", True)]
    assert related.forget(filled, "wire:chips", "wire:o3", Choice.PIN)
    assert not related.forget(filled, "wire:chips", "wire:o3", Choice.PIN)
    with pytest.raises(NotFoundError):
        related.choose(filled, "wire:chips", "wire:nothing", Choice.PIN, "chief")
    with pytest.raises(InputError, match="one story"):
        related.choose(filled, "wire:chips", "wire:chips", Choice.BAN, "chief")


def test_an_issue_never_waits_for_what_was_not_computed(room: Newsroom, a_story: Callable[..., Story]) -> None:
    corpus = [a_story("chips", CHIPS), a_story("more", MORE_CHIPS)]
    room.stories.ingest(corpus, NOW)
    offers = related.offers(room, corpus)
    assert [offer.story.id for offer in offers["wire:chips"]] == ["wire:more"]
    with room.database.hold("related reading"), room.database.hold("story index"):
        room.stories.ingest([a_story("third", "Pyeongtaek memory chip plant hires for Samsung")], NOW)
        assert related.keep_up(room) == 0
        assert "wire:third" in related.offers(room, [room.stories.get("wire:third")])


def test_only_so_many_are_done_at_once_latest_first(room: Newsroom, a_story: Callable[..., Story]) -> None:
    room.stories.ingest([a_story(f"o{n}", title, hours_ago=n) for n, title in enumerate(OTHERS)], NOW)
    told: list[tuple[int, int]] = []
    assert related.keep_up(room, at_most=2, progress=lambda done, total: told.append((done, total))) == 2
    assert told == [(2, 2)]
    assert [each.story.id for each in room.story_links.waiting(9)] == ["wire:o2", "wire:o3", "wire:o4"]


# --- the same story twice ---------------------------------------------------------------------------------


def clusters(room: Newsroom) -> dict[str, str | None]:
    return {story.external_id: story.cluster for story in room.stories.list()}


def test_copies_collapse_and_the_lead_is_the_earliest(room: Newsroom, a_story: Callable[..., Story]) -> None:
    wire = "The Bank of Korea held its policy rate at 2.5 percent on Thursday and cut its growth forecast for the year"
    room.stories.ingest(
        [
            a_story("1", "Bank of Korea holds rate", summary=wire, hours_ago=2),
            a_story("2", "Bank of Korea holds the rate (update)", summary=wire + ".", hours_ago=1),
            a_story("3", "Seoul stands still", url="https://example.com/1?x", url_canonical="https://example.com/1"),
            a_story("4", "BANK of Korea holds rate!", hours_ago=5, source="globe"),
            a_story("5", "Bank of Korea holds rate", hours_ago=24 * 30),
            a_story("6", "Bank of Korea governor speaks of household debt", summary="Rhee warned lenders in Busan."),
        ],
        NOW,
    )
    related.keep_up(room)
    assert clusters(room) == {"1": "globe:4", "2": "globe:4", "3": "globe:4", "4": "globe:4", "5": None, "6": None}
    room.stories.ingest([a_story("3", "Seoul stands still", url="https://example.com/3")], NOW)
    room.stories.ingest([a_story("4", "Something else by now", source="globe", hours_ago=5)], NOW)
    related.keep_up(room)
    assert clusters(room) == {"1": "wire:1", "2": "wire:1", "3": None, "4": None, "5": None, "6": None}


def test_an_editor_joins_and_parts(filled: Newsroom, a_story: Callable[..., Story]) -> None:
    filled.stories.ingest([a_story("more", MORE_CHIPS, hours_ago=3)], NOW)
    related.keep_up(filled)
    (pair,) = related.suggestions(filled)
    assert {pair.story.id, pair.other.id} == {"wire:chips", "wire:more"}
    assert pair.reasons
    related.choose(filled, "wire:chips", "wire:more", Choice.TOGETHER, "chief")
    assert clusters(filled)["chips"] == clusters(filled)["more"] == "wire:more"
    assert related.suggestions(filled) == []
    related.choose(filled, "wire:more", "wire:chips", Choice.APART, "chief")
    assert clusters(filled)["chips"] is clusters(filled)["more"] is None
    assert related.suggestions(filled, "wire:chips") == []


def test_copies_from_a_source_of_higher_priority_lead(room: Newsroom, a_story: Callable[..., Story]) -> None:
    plan = room.plan_file.read_text(encoding="utf-8")
    desk, better = "desk: {kind: folder, path: inbox}", "globe: {kind: folder, path: globe, priority: 9}"
    room.plan_file.write_text(plan.replace(desk, f"{desk}\n  {better}"), encoding="utf-8")
    room.stories.ingest(
        [a_story("1", "Same title", hours_ago=5), a_story("2", "Same title", source="globe", hours_ago=1)], NOW
    )
    related.keep_up(room)
    assert set(clusters(room).values()) == {"globe:2"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=5), max_size=4))
def test_whatever_arrives_when_the_end_is_the_same(
    rounds: list[list[tuple[int, int]]],
    light_room: Newsroom,
    a_story: Callable[..., Story],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Round by round or at once: nobody waits, all that is kept is there and ready, copies have one lead."""
    titles = (CHIPS, MORE_CHIPS, CHIPS.upper(), *OTHERS)
    room = light_room
    for batch in rounds:
        room.stories.ingest([a_story(str(name), titles[title]) for name, title in batch], NOW)
        related.keep_up(room)
    assert room.story_links.count_waiting() == 0
    everything = {story.id: story for story in room.stories.list()}
    assert len(room.story_index) == len(everything)
    for name, rows in related.kept(room, 10).items():
        assert name not in [row.id for row in rows]
        assert all(everything[row.id].title.casefold() != everything[name].title.casefold() for row in rows)
    for story in everything.values():
        copies = [each for each in everything.values() if each.title.casefold() == story.title.casefold()]
        lead = min(copies, key=lambda each: each.id).id if len(copies) > 1 else None
        assert story.cluster == lead


def test_windows_are_of_180_days(room: Newsroom, a_story: Callable[..., Story]) -> None:
    old = a_story("old", MORE_CHIPS, hours_ago=24 * 181)
    room.stories.ingest([a_story("chips", CHIPS, hours_ago=0), old], NOW)
    related.keep_up(room)
    assert kept(room)["wire:chips"] == []
    room.stories.ingest([replace(old, published_at=NOW - timedelta(days=179))], NOW)
    related.keep_up(room)
    assert kept(room)["wire:chips"] == ["wire:old"]


def test_while_another_settles_nothing_is_kept_and_nothing_is_missing(
    light_room: Newsroom, a_story: Callable[..., Story]
) -> None:
    room = light_room
    room.stories.ingest(
        [a_story("chips", CHIPS), a_story("copy", CHIPS, source="other"), a_story("more", MORE_CHIPS)], NOW
    )
    wanted = [room.stories.get("wire:chips")]
    with room.database.hold(related.SETTLING) as held:
        assert held
        offered = related.offers(room, wanted)["wire:chips"]
        assert [offer.story.id for offer in offered] == ["wire:more"]
        assert room.story_links.count_waiting() == 3
    related.offers(room, wanted)
    assert room.stories.get("wire:chips").cluster is None  # its copy waits for its own turn
    related.keep_up(room)
    assert room.stories.get("wire:chips").cluster == room.stories.get("other:copy").cluster is not None
