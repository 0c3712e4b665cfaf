"""What an editor makes of the stories of a draft, whatever the order of the acts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose import Offer, arranging, placing
from newsletter.errors import InputError
from newsletter.model import CountrySection, PlacedStory, Sender, Snapshot, Story

from .conftest import NOW

ORDER = ("CN", "JP", "KR")


def a_story(name: str, title: str, country: str = "CN") -> Story:
    address = f"https://example.com/{name}"
    return Story(
        source="wire", external_id=name, url=address, title=title, outlet="Wire", country=country, published_at=NOW
    )


STORIES = {f"s{n}": a_story(f"s{n}", f"Story number {n}", country=ORDER[n % 3]) for n in range(9)}
PLACE = partial(placing, relate=lambda stories: {}, now=NOW, limit=3)


def a_draft(*names: str) -> Snapshot:
    told = [STORIES[name] for name in names]
    sections = [(country, tuple(PlacedStory(s) for s in told if s.country == country)) for country in ORDER]
    return Snapshot(
        newsletter="asia", date=NOW.date(), title="Asia", template="daily", sender=Sender("A", "a@example.com"),
        postal_address="1 Street", timezone="UTC", languages=("en",), lead=told[0].id if told else "",
        sections=tuple(CountrySection(country, held) for country, held in sections if held),
    )  # fmt: skip


def told(snapshot: Snapshot) -> dict[str, list[str]]:
    return {each.country: [placed.story.external_id for placed in each.stories] for each in snapshot.sections}


def test_a_story_goes_in_front_of_another_one_or_behind_all() -> None:
    draft = a_draft("s0", "s3", "s6", "s1")
    forward = arranging.moved(draft, STORIES["s6"].id, PLACE, ORDER, country="CN", before=STORIES["s0"].id)
    assert told(forward) == {"CN": ["s6", "s0", "s3"], "JP": ["s1"]}
    assert forward.lead == STORIES["s6"].id
    assert forward.arranged
    behind = arranging.moved(forward, STORIES["s6"].id, PLACE, ORDER, country="CN", before=None)
    assert told(behind) == told(draft)


def test_a_story_goes_to_another_country_of_the_newsletter_in_its_order() -> None:
    moved = arranging.moved(a_draft("s0", "s2"), STORIES["s0"].id, PLACE, ORDER, country="JP", before=None)
    assert list(told(moved)) == ["JP", "KR"]
    with pytest.raises(InputError, match="FR is none of the newsletter's countries"):
        arranging.moved(moved, STORIES["s0"].id, PLACE, ORDER, country="FR", before=None)


def test_a_chosen_lead_stays_wherever_it_stands_until_it_is_dropped() -> None:
    led = arranging.led_by(a_draft("s0", "s3", "s1"), STORIES["s1"].id)
    moved = arranging.moved(led, STORIES["s3"].id, PLACE, ORDER, country="CN", before=STORIES["s0"].id)
    assert moved.lead == STORIES["s1"].id
    dropped = arranging.taken_out(moved, STORIES["s1"].id, PLACE, ORDER)
    assert (dropped.lead, dropped.lead_chosen) == (STORIES["s3"].id, False)
    assert dropped.dropped == (STORIES["s1"].id,)
    assert arranging.led_by(moved, None).lead == STORIES["s3"].id


def test_nothing_is_offered_under_one_story_that_the_issue_tells() -> None:
    other = STORIES["s3"]
    offered = {STORIES["s0"].id: [Offer(other, 0.5, ("chips",), False)]}
    place = partial(placing, relate=lambda stories: offered, now=NOW, limit=3)
    draft = a_draft("s0", "s3")
    with_both = arranging.moved(draft, other.id, place, ORDER, country="CN", before=STORIES["s0"].id)
    assert all(not placed.related for placed in with_both.placed)
    alone = arranging.taken_out(with_both, other.id, place, ORDER)
    assert [each.id for each in alone.placed[0].related] == [other.id]


def test_a_build_keeps_the_arrangement_with_the_stories_as_they_are_now() -> None:
    old, first = a_draft("s0", "s3", "s1"), STORIES["s0"].id
    arranged = arranging.moved(old, STORIES["s3"].id, PLACE, ORDER, country="CN", before=first)
    fresh = a_draft("s0", "s3", "s6", "s2")
    present = {STORIES["s0"].id: a_story("s0", "A better headline"), STORIES["s3"].id: STORIES["s3"]}
    kept = arranging.kept(fresh, arranged, present, PLACE, ORDER)
    assert told(kept) == {"CN": ["s3", "s0"]}  # what is not ready any more is gone, what is new waits
    assert kept.placed[1].story.title == "A better headline"


NAMES = st.sampled_from(sorted(STORIES))
ACTS = st.lists(
    st.tuples(st.sampled_from(["move", "out", "in", "lead"]), NAMES, st.sampled_from(ORDER), NAMES), max_size=25
)


@settings(max_examples=200, deadline=None)
@given(ACTS)
def test_whatever_is_done_no_story_is_told_twice_or_lost(acts: list[tuple[str, str, str, str]]) -> None:
    draft = a_draft("s0", "s1", "s2", "s3", "s4")
    inside, out = {"s0", "s1", "s2", "s3", "s4"}, set()
    for act, name, country, other in acts:
        story, before = STORIES[name], STORIES[other].id
        change: Callable[[], Snapshot] = {
            "move": partial(arranging.moved, draft, story.id, PLACE, ORDER, country=country, before=before),
            "out": partial(arranging.taken_out, draft, story.id, PLACE, ORDER),
            "in": partial(arranging.taken_in, draft, story, PLACE, ORDER, country=country),
            "lead": partial(arranging.led_by, draft, story.id),
        }[act]
        if (name in inside) is (act == "in"):
            with pytest.raises(InputError):
                change()
            continue
        draft = change()
        if act == "out":
            inside, out = inside - {name}, out | {name}
        elif act == "in":
            inside, out = inside | {name}, out - {name}
        names = [each for held in told(draft).values() for each in held]
        assert sorted(names) == sorted(inside)
        assert {STORIES[each].id for each in out} == set(draft.dropped)
        assert list(told(draft)) == [country for country in ORDER if country in told(draft)]
        assert draft.lead in {placed.story.id for placed in draft.placed} or not draft.placed
