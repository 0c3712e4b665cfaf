"""What the best of a week is: one rule after the other, each deciding only where those before it say nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose import Standing, best_first, standings_of
from newsletter.model import CountrySection, Faulty, Kind, PlacedStory, Sender, Snapshot, Story

ONE, TWO = frozenset({"a"}), frozenset({"a", "b"})
WEAK: dict[str, Any] = {"dropped": False, "chosen": 0, "newsletters": ONE, "sources": 1, "put_first": 0}
NOTE = {"note": ("Why it matters.",), "note_approved_by": "ed@example.com"}

# From the strongest rule to the weakest: what the better story has, and what the worse one has instead.
RULES: tuple[tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]], ...] = (
    ({}, {}, {"dropped": True}, {}),
    ({"chosen": 1}, {}, {}, {}),
    ({"newsletters": TWO}, {}, {}, {}),
    ({}, {}, {}, {"kind": Kind.PRESS_RELEASE}),
    ({"sources": 3}, {}, {}, {}),
    ({"put_first": 1}, {}, {}, {}),
    ({}, NOTE, {}, {}),
    ({}, {"source": "wire"}, {}, {"source": "other"}),
)


@pytest.mark.parametrize("rule", range(len(RULES)))
def test_each_rule_beats_all_that_come_after_it(rule: int, a_story: Callable[..., Story]) -> None:
    high, higher_story, low, lower_story = RULES[rule]
    better_standing, better_story = WEAK | high, dict(higher_story)
    worse_standing, worse_story = WEAK | low, dict(lower_story)
    for against in RULES[rule + 1 :]:  # everything weaker speaks for the worse one
        worse_standing |= against[0]
        better_standing |= against[2]
        worse_story = against[1] | worse_story
        better_story = against[3] | better_story
    better, worse = a_story("better", **better_story), a_story("worse", **worse_story)
    standings = {better.id: Standing(**better_standing), worse.id: Standing(**worse_standing)}
    assert best_first([worse, better], standings, {"wire": 5}) == [better, worse]


@given(rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), max_size=12))
def test_the_order_loses_nobody_and_keeps_that_of_equals(
    rows: list[tuple[int, int, bool]], a_story: Callable[..., Story]
) -> None:
    stories = [a_story(f"{number:02}") for number in range(len(rows))]
    standings = {
        story.id: Standing(chosen=chosen, sources=sources, dropped=dropped)
        for story, (chosen, sources, dropped) in zip(stories, rows, strict=True)
    }
    ordered = best_first(stories, standings)
    assert sorted(story.id for story in ordered) == [story.id for story in stories]
    assert best_first(ordered, standings) == ordered
    assert best_first(stories, {}) == stories


def an_issue(name: str, *stories: Story, **fields: Any) -> Snapshot:
    section = CountrySection("CN", tuple(map(PlacedStory, stories)))
    usual: dict[str, Any] = {
        "newsletter": name, "date": date(2026, 5, 27), "title": name, "template": "daily",
        "sender": Sender("A", "a@example.com"), "postal_address": "here", "timezone": "UTC", "languages": ("en",),
        "sections": (section,), "lead": stories[0].id if stories else "",
    }  # fmt: skip
    return Snapshot(**(usual | fields))


def test_what_issues_say_of_a_story_is_said_of_its_copies(a_story: Callable[..., Story]) -> None:
    one, other, third = a_story("one"), a_story("copy"), a_story("third")
    roots = {other.id: one.id}
    told = [
        an_issue("a", one, third, lead_chosen=True, arranged=True),
        an_issue("b", third, other),
        an_issue("b", other, breaking=True),
        an_issue("a", third, faulty=Faulty("a/2026-05-27", 2), breaking=True),
        an_issue("a", dropped=(third.id, "wire:never", other.id)),
    ]
    found = standings_of(told, lambda name: roots.get(name, name), {one.id: 2})
    assert found[one.id] == Standing(frozenset({"a", "b"}), chosen=2, put_first=1, sources=2)
    assert found[third.id] == Standing(frozenset({"a", "b"}))
    assert found["wire:never"] == Standing(dropped=True)
    alike = replace(a_story("copy"), cluster=one.id)
    assert best_first([third, alike], found) == [alike, third]
