"""Copies after any history of arrivals, revisions and editors' choices are what all pairs taken at once would give."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose import NEAR_IDENTICAL
from newsletter.model import Story
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import copies, related
from newsletter.newsroom.intake.copies import COPIES_WITHIN, _near_identical
from newsletter.storage import Choice
from newsletter.words import cosine, read, text_of

from .conftest import NOW

LONG = "Harwick port opens a quay for container ships, the minister said as cranes began to unload the first of them"
TITLES = ("Quay opens", "Quay opens again", "Harwick's new quay", "Floods close schools in Kerala")

names = st.integers(0, 5)
arrivals = st.tuples(st.just("arrive"), names, st.sampled_from(TITLES), st.sampled_from(["", LONG, LONG + " today"]))
said = st.tuples(st.sampled_from(["together", "apart", "forget"]), names, names, st.just(""))
histories = st.lists(st.lists(st.one_of(arrivals, arrivals, said), min_size=1, max_size=4), min_size=1, max_size=4)


def groups_of(stories: dict[str, Story], choices: dict[tuple[str, str], Choice]) -> set[frozenset[str]]:
    """By the definition: every pair looked at, and what they connect."""
    group = {name: {name} for name in stories}
    for one, other in itertools.combinations(sorted(stories), 2):
        a, b = stories[one], stories[other]
        near = abs(a.published_at - b.published_at) <= COPIES_WITHIN
        alike = near and (
            a.title == b.title or cosine(read(text_of(a)).terms, read(text_of(b)).terms) >= NEAR_IDENTICAL
        )
        choice = choices.get((one, other))
        if choice is Choice.TOGETHER or (alike and choice is not Choice.APART):
            whole = group[one] | group[other]
            for name in whole:
                group[name] = whole
    return {frozenset(members) for members in group.values()}


def kept_groups(stories: Iterable[Story]) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for story in stories:
        found.setdefault(story.cluster or story.id, set()).add(story.id)
    return {frozenset(members) for members in found.values()}


@settings(max_examples=40, deadline=None)
@given(histories)
def test_clusters_are_what_all_pairs_at_once_give(history: list[list[tuple[str, int, str | int, str]]]) -> None:
    with TemporaryDirectory() as folder:
        desks.make_sample_desk(Path(folder) / "desk")
        with Newsroom.open(Path(folder) / "desk", {"now": NOW.isoformat()}, environ={}) as room:
            held: dict[str, Story] = {}
            choices: dict[tuple[str, str], Choice] = {}
            for round_ in history:
                for act, number, second, summary in round_:
                    if act == "arrive":
                        story = Story(
                            source="wire",
                            external_id=str(number),
                            url=f"https://e.example/{number}",
                            title=str(second),
                            summary=summary,
                            outlet="Wire",
                            country="CN",
                            published_at=NOW - timedelta(hours=30 * number),
                        )
                        held[story.id] = story
                        room.stories.ingest([story], NOW)
                    else:
                        say(room, choices, held, act, f"wire:{number}", f"wire:{second}")
                related.keep_up(room)
            stories = list(room.stories.list())
            assert kept_groups(stories) == groups_of(held, choices)
            for story in stories:
                if story.cluster:
                    members = [each for each in stories if each.cluster == story.cluster]
                    assert story.cluster == min(members, key=lambda each: (each.published_at, each.id)).id


def say(
    room: Newsroom,
    choices: dict[tuple[str, str], Choice],
    held: dict[str, Story],
    act: str,
    one: str,
    other: str,
) -> None:
    if one == other or not {one, other} <= held.keys():
        return
    pair = (min(one, other), max(one, other))
    if act == "forget":
        if pair in choices:
            related.forget(room, one, other, choices.pop(pair))
    else:
        choices[pair] = Choice(act)
        related.choose(room, one, other, Choice(act), "chief")


def test_many_copies_are_compared_no_more_each_than_a_few(
    light_room: Newsroom, a_story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[Story, Story]] = []

    def near_identical(one: Story, other: Story) -> bool:
        compared.append((one, other))
        return _near_identical(one, other)

    monkeypatch.setattr(copies, "_near_identical", near_identical)

    def comparisons(first: int, last: int) -> int:
        rows = [a_story(f"s{n}", f"{LONG} {n}", hours_ago=n / 60) for n in range(first, last)]
        light_room.stories.ingest(rows, NOW)
        compared.clear()
        related.keep_up(light_room)
        return len(compared)

    few = comparisons(0, 100)
    comparisons(100, 500)
    assert comparisons(500, 600) <= few * 1.1
    leads = {story.cluster for story in light_room.stories.list()}
    assert None not in leads
    assert len(leads) <= 6
    changed = light_room.stories.get("wire:s0")
    light_room.stories.ingest([replace(changed, title="Something else", url="https://e.example/else")], NOW)
    related.keep_up(light_room)
    assert light_room.stories.get("wire:s0").cluster is None
    assert {story.cluster for story in light_room.stories.list() if story.id != "wire:s0"} == leads - {"wire:s0"}
