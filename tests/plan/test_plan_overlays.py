"""What people decide beside the file changes slots, and never their number."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Sender
from newsletter.plan import (
    EVERY,
    Approval,
    Newsletter,
    Overlay,
    OverlayKind,
    Plan,
    Slot,
    StoriesRule,
    Timetable,
    approval_deadline,
    build_at,
    deliver_by_at,
    lock_at,
    slot_of,
    slots_between,
)

WED = date(2026, 5, 27)
DAY = timedelta(days=1)
ASIA = Newsletter(
    name="asia",
    title="Asia",
    at=time(7),
    timezone=ZoneInfo("Asia/Singapore"),
    days=frozenset({1, 2, 3, 4, 5}),
    sender=Sender("A", "a@example.com"),
    postal_address="x",
    countries=("CN",),
    skip={date(2026, 5, 28): "holidays"},
    stories=StoriesRule(lead=timedelta(minutes=90)),
    approval=Approval(by=time(6, 45)),
    lock=time(6, 30),
    deliver_by=time(11),
)


def local(text: str) -> datetime:
    """An instant by the clocks of Singapore."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


MADE = local("2026-05-20T12:00")


def overlay(kind: OverlayKind, first: date = WED, last: date | None = WED, **values: object) -> Overlay:
    usual: dict[str, object] = {"newsletter": "asia", "who": "anna", "made_at": MADE}
    return Overlay(**{**usual, "kind": kind, "first": first, "last": last, **values})  # type: ignore[arg-type]


def moved(to: str, **values: object) -> Overlay:
    return overlay(OverlayKind.MOVE, due_at=local(to), **values)


def times(slots: Sequence[Slot]) -> list[tuple[str, str | None]]:
    """What is due when, and the notes."""
    shown = (f"{slot.date.day}/{slot.number} {slot.local:%d %H:%M}" if slot.local else "-" for slot in slots)
    return list(zip(shown, (slot.note for slot in slots), strict=True))


def test_a_pause_a_skip_and_a_move_are_told_with_name_and_reason() -> None:
    holidays = overlay(OverlayKind.PAUSE, last=WED, number=EVERY, why="typhoon")
    assert (slot_of(ASIA, WED, 1, [holidays]).due, slot_of(ASIA, WED, 1, [holidays]).note) == (
        None,
        "paused by anna: typhoon",
    )
    assert slot_of(ASIA, WED, 1, [overlay(OverlayKind.SKIP)]).note == "skipped by anna"
    slot = slot_of(ASIA, WED, 1, [moved("2026-05-27T09:30", why="late budget")])
    assert (slot.due, slot.note) == (local("2026-05-27T09:30"), "moved from 07:00 by anna: late budget")


def test_the_later_move_counts_and_a_stop_outweighs_every_move() -> None:
    twice = [moved("2026-05-27T09:30"), moved("2026-05-27T10:00", who="ben")]
    assert slot_of(ASIA, WED, 1, twice).note == "moved from 07:00 by ben"
    stopped = slot_of(ASIA, WED, 1, [overlay(OverlayKind.SKIP), *twice])
    assert (stopped.due, stopped.instant) == (None, local("2026-05-27T10:00"))


def test_what_the_file_skips_stays_skipped_but_for_an_extra_issue() -> None:
    holiday = date(2026, 5, 28)
    assert slot_of(ASIA, holiday, 1, [moved("2026-05-28T09:00", first=holiday, last=holiday)]).due is None
    extra = overlay(OverlayKind.EXTRA, holiday, holiday, number=2, due_at=local("2026-05-28T18:00"))
    found = list(slots_between(ASIA, local("2026-05-28T00:00"), local("2026-05-29T00:00"), [extra]))
    assert times(found) == [("-", "skipped: holidays"), ("28/2 28 18:00", "extra issue by anna")]


def test_a_pause_that_ended_holds_for_what_was_due_before() -> None:
    ended = overlay(OverlayKind.PAUSE, last=None, number=EVERY, ended_at=local("2026-05-27T09:00"), ended_by="ben")
    before, after = slot_of(ASIA, WED, 1, [ended]), slot_of(ASIA, WED + 2 * DAY, 1, [ended])
    assert (before.due, before.stopped_by) == (None, None), "nobody holds it back any more"
    assert after.due == local("2026-05-29T07:00")


def test_deadlines_keep_their_distance_to_a_moved_issue() -> None:
    slot = slot_of(ASIA, WED, 1, [moved("2026-05-27T09:30")])
    assert build_at(slot, ASIA) == local("2026-05-27T08:00")
    assert lock_at(slot, ASIA) == local("2026-05-27T09:00")
    assert approval_deadline(slot, ASIA) == local("2026-05-27T09:15")
    assert deliver_by_at(slot, ASIA) == local("2026-05-27T13:30")


def test_an_issue_that_is_to_run_at_once_leaves_time_to_approve_it() -> None:
    at = local("2026-05-27T05:00")
    slot = slot_of(ASIA, WED, 1, [moved("2026-05-27T05:00", made_at=at)])
    assert approval_deadline(slot, ASIA) == at + ASIA.catch_up.within
    soon = slot_of(ASIA, WED, 1, [moved("2026-05-27T05:10", made_at=at)])
    assert approval_deadline(soon, ASIA) == soon.instant, "a deadline that has passed already is none"


@pytest.mark.parametrize("count", [1, 3, 30, 1000])
def test_the_upcoming_are_the_first_of_all_newsletters(count: int) -> None:
    other = dataclasses.replace(ASIA, name="oslo", timezone=ZoneInfo("Europe/Oslo"), days=frozenset({3}), skip={})
    timetable = Timetable(Plan({"asia": ASIA, "oslo": other}, {}, {}), {"oslo": [overlay(OverlayKind.SKIP)]})
    start = local("2026-05-27T00:00")
    everything = sorted(
        (slot for each in (ASIA, other) for slot in timetable.slots_between(each, start, start + timedelta(days=400))),
        key=lambda slot: (slot.instant, slot.newsletter),
    )
    assert timetable.upcoming(start, count) == everything[:count]
    assert timetable.upcoming(start, 1, [other])[0].note == "skipped by anna"


SPAN = 14
DAYS = st.integers(0, SPAN).map(lambda offset: WED + offset * DAY)
NUMBERS = st.integers(1, 3)
INSTANTS = st.integers(-40, (SPAN + 2) * 24).map(lambda hours: local("2026-05-27T00:15") + timedelta(hours=hours))
ENDS = st.none() | INSTANTS


@st.composite
def overlays(draw: st.DrawFn) -> Overlay:
    kind, first = draw(st.sampled_from(OverlayKind)), draw(DAYS)
    made, ended = draw(INSTANTS), draw(ENDS)
    match kind:
        case OverlayKind.PAUSE:
            last = draw(st.none() | st.integers(0, 5).map(lambda length: first + length * DAY))
            return overlay(kind, first, last, number=EVERY, made_at=made, ended_at=ended)
        case OverlayKind.SKIP:
            return overlay(kind, first, first, number=draw(NUMBERS), made_at=made, ended_at=ended)
        case OverlayKind.MOVE:
            return overlay(kind, first, first, number=draw(NUMBERS), due_at=draw(INSTANTS), ended_at=ended)
    number = draw(NUMBERS.filter(lambda number: number > 1))
    return overlay(kind, first, first, number=number, due_at=draw(INSTANTS), made_at=made, ended_at=ended)


@settings(max_examples=300, deadline=None)
@given(st.lists(overlays(), max_size=12), st.sampled_from(["Asia/Singapore", "America/Santiago", "Pacific/Apia"]))
def test_every_date_has_exactly_one_slot_whatever_was_decided(made: list[Overlay], zone: str) -> None:
    paper = dataclasses.replace(ASIA, timezone=ZoneInfo(zone))
    far = timedelta(days=90)
    slots = list(slots_between(paper, MADE - far, MADE + far, made))
    numbered = Counter((slot.newsletter, slot.date, slot.number) for slot in slots)
    assert set(numbered.values()) == {1}, "never two of one number"
    dates = [WED + offset * DAY for offset in range(-7, SPAN + 14)]
    assert [numbered["asia", day, 1] for day in dates] == [int(day.isoweekday() in paper.days) for day in dates]
    ordered = {(each.first, each.number) for each in made if each.kind is OverlayKind.EXTRA and not each.ended_at}
    assert {(slot.date, slot.number) for slot in slots if slot.number > 1} == ordered
    assert [slot.instant for slot in slots] == sorted(slot.instant for slot in slots)
    for slot in slots:
        assert slot == slot_of(paper, slot.date, slot.number, made)
        assert slot.due in (None, slot.instant)
        assert slot.due is not None or slot.note


@settings(max_examples=200, deadline=None)
@given(st.lists(overlays(), max_size=8), INSTANTS, INSTANTS)
def test_a_span_holds_the_slots_that_stand_in_it(made: list[Overlay], start: datetime, end: datetime) -> None:
    whole = slots_between(ASIA, MADE - timedelta(days=90), MADE + timedelta(days=90), made)
    assert list(slots_between(ASIA, start, end, made)) == [slot for slot in whole if start <= slot.instant < end]


@settings(max_examples=200, deadline=None)
@given(st.lists(overlays(), max_size=8), DAYS)
def test_deadlines_never_come_after_what_they_are_for(made: list[Overlay], day: date) -> None:
    slot = slot_of(ASIA, day, 1, made)
    lock, deadline, expiry = lock_at(slot, ASIA), approval_deadline(slot, ASIA), deliver_by_at(slot, ASIA)
    assert build_at(slot, ASIA) <= slot.instant
    assert lock is not None
    assert deadline is not None
    assert expiry is not None
    assert lock <= slot.instant <= expiry
    assert deadline <= slot.instant + ASIA.catch_up.within
