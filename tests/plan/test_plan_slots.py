"""Every newsletter is due exactly once a date, whatever the clocks of its zone do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Sender
from newsletter.plan import (
    Approval,
    Newsletter,
    Slot,
    StoriesRule,
    approval_deadline,
    build_at,
    deliver_by_at,
    lock_at,
    slot_of,
    slots_between,
)

EVERY_DAY = frozenset(range(1, 8))
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TIMES = [time(0, 0), time(0, 30), time(1, 30), time(2, 30)]
NASTY = [
    "Africa/Cairo",
    "America/Santiago",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]


def newsletter(zone: str, at: time = time(7), **changes: object) -> Newsletter:
    plain = Newsletter(
        name="asia",
        title="Asia",
        at=at,
        timezone=ZoneInfo(zone),
        days=EVERY_DAY,
        sender=Sender("A", "a@example.com"),
        postal_address="x",
        countries=("CN",),
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def dates(first: date, last: date) -> list[date]:
    return [first + DAY * offset for offset in range((last - first).days + 1)]


YEARS = dates(date(2025, 1, 1), date(2027, 12, 31))


def clock_changes(zone: ZoneInfo) -> Iterator[date]:
    """The dates of 2025–2027 on which the zone's offset is not the same all day, and their neighbours."""
    offsets = [datetime.combine(day, time(0), zone).utcoffset() for day in YEARS]
    for place in range(1, len(YEARS)):
        if offsets[place] != offsets[place - 1]:
            yield from YEARS[max(place - 2, 0) : place + 2]


def first_shown(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The slow way: walk the quarters of an hour until the zone's clocks show the time or have gone past it."""
    wall = datetime.combine(day, at)
    now = wall.replace(tzinfo=UTC) - 27 * HOUR
    while now.astimezone(zone).replace(tzinfo=None) < wall:
        now += timedelta(minutes=15)
    return now


def check(slot: Slot, day: date, at: time, zone: ZoneInfo) -> None:
    assert slot.date == day
    assert slot.due == slot.instant
    assert slot.local is not None
    assert slot.local.astimezone(UTC) == slot.instant
    assert slot.local.tzinfo is zone
    assert slot.local.date() == day
    if slot.note and "moved" in slot.note:
        assert slot.local.time() > at
    else:
        assert slot.local.time() == at


@pytest.mark.parametrize(
    ("zone", "at", "day", "utc", "note"),
    [
        ("Asia/Singapore", "07:00", "2026-05-27", "2026-05-26T23:00Z", None),
        ("Europe/Oslo", "02:30", "2026-03-29", "2026-03-29T01:00Z", "02:30 does not exist, moved to 03:00"),
        ("Europe/London", "01:30", "2026-10-25", "2026-10-25T00:30Z", "01:30 comes twice, taken the first time"),
        ("Asia/Beirut", "00:30", "2026-03-29", "2026-03-28T22:00Z", "00:30 does not exist, moved to 01:00"),
        ("Australia/Lord_Howe", "02:15", "2026-10-04", "2026-10-03T15:30Z", "02:15 does not exist, moved to 02:30"),
        ("Antarctica/Troll", "02:30", "2026-03-29", "2026-03-29T01:00Z", "02:30 does not exist, moved to 03:00"),
        ("America/Santiago", "00:00", "2026-09-06", "2026-09-06T04:00Z", "00:00 does not exist, moved to 01:00"),
        ("Africa/Cairo", "00:00", "2026-04-24", "2026-04-23T22:00Z", "00:00 does not exist, moved to 01:00"),
        ("Africa/Cairo", "23:30", "2026-10-29", "2026-10-29T20:30Z", "23:30 comes twice, taken the first time"),
        ("Pacific/Apia", "07:00", "2026-09-27", "2026-09-26T18:00Z", None),
        ("America/Toronto", "23:45", "1919-03-30", "1919-03-31T04:30Z", "23:45 does not exist, moved to 00:30"),
    ],
)
def test_known_clock_changes(zone: str, at: str, day: str, utc: str, note: str | None) -> None:
    slot = slot_of(newsletter(zone, time.fromisoformat(at)), date.fromisoformat(day))
    assert (slot.due, slot.note) == (instant(utc), note and f"clock change: {note}")
    assert slot.local is not None
    assert slot.local.astimezone(UTC) == instant(utc)


def test_a_date_that_the_zone_never_had() -> None:
    apia = newsletter("Pacific/Apia")
    slot = slot_of(apia, date(2011, 12, 30))
    assert (slot.due, slot.local, slot.note) == (None, None, "skipped: no such date")
    around = list(slots_between(apia, instant("2011-12-28T00:00Z"), instant("2012-01-02T00:00Z")))
    assert [slot.date.day for slot in around] == [28, 29, 30, 31, 1, 2]
    assert sum(slot.due is not None for slot in around) == 5


def test_skipped_slots_keep_their_place_in_time() -> None:
    skipping = newsletter("Asia/Singapore", skip={date(2026, 8, 10): "sg-holidays"})
    slot = slot_of(skipping, date(2026, 8, 10))
    assert (slot.due, slot.local, slot.note) == (None, None, "skipped: sg-holidays")
    assert slot.instant == instant("2026-08-10T07:00+08:00")


def test_slots_between_takes_the_start_and_leaves_the_end() -> None:
    weekdays = newsletter("Asia/Singapore", days=frozenset({1, 2, 3, 4, 5}))
    start, end = instant("2026-05-28T07:00+08:00"), instant("2026-06-02T07:00+08:00")
    assert [slot.date.day for slot in slots_between(weekdays, start, end)] == [28, 29, 1]
    assert list(slots_between(weekdays, end, start)) == []


def test_what_is_not_enabled_is_never_due() -> None:
    off = newsletter("UTC", enabled=False)
    assert list(slots_between(off, instant("2026-01-01T00:00Z"), instant("2026-02-01T00:00Z"))) == []


def test_any_date_has_a_slot_for_an_editor_who_asks() -> None:
    mondays = newsletter("UTC", days=frozenset({1}))
    assert slot_of(mondays, date(2026, 5, 30)).due == instant("2026-05-30T07:00Z")


@pytest.mark.parametrize("at", TIMES)
@pytest.mark.parametrize("zone", NASTY)
def test_nasty_zones_on_every_date(zone: str, at: time) -> None:
    paper = newsletter(zone, at)
    slots = [slot_of(paper, day) for day in YEARS]
    for slot, day in zip(slots, YEARS, strict=True):
        check(slot, day, at, paper.timezone)
    instants = [slot.instant for slot in slots]
    assert all(DAY - 2 * HOUR <= later - earlier <= DAY + 2 * HOUR for earlier, later in pairwise(instants))
    assert list(slots_between(paper, instants[0], instants[-1] + timedelta(seconds=1))) == slots


@pytest.mark.parametrize("zone", NASTY)
def test_nasty_zones_against_the_slow_way(zone: str) -> None:
    changes = list(clock_changes(ZoneInfo(zone)))
    assert len(changes) >= 20 or zone == "Pacific/Apia"  # Samoa gave up summer time in 2021
    for day in changes or YEARS[:3]:
        for at in TIMES:
            assert slot_of(newsletter(zone, at), day).due == first_shown(day, at, ZoneInfo(zone))


def test_every_zone_on_every_date_near_a_clock_change() -> None:
    """Where no offset changes, wall time less offset is all there is; so the other dates are a sample."""
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        days = sorted({*clock_changes(zone), *YEARS[::180]})
        for at in TIMES:
            paper = newsletter(name, at)
            slots = [slot_of(paper, day) for day in days]
            for slot, day in zip(slots, days, strict=True):
                check(slot, day, at, zone)
            instants = [slot.instant for slot in slots]
            assert all(earlier < later for earlier, later in pairwise(instants))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(available_timezones())),
    st.dates(date(1900, 1, 2), date(2100, 1, 1)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_a_slot_stands_at_the_first_instant_not_before_its_time(zone: str, day: date, at: time) -> None:
    paper = newsletter(zone, at)
    slot, wall = slot_of(paper, day), datetime.combine(day, at)
    assert slot.instant.astimezone(paper.timezone).replace(tzinfo=None) >= wall
    just_before = (slot.instant - timedelta(seconds=1)).astimezone(paper.timezone)
    assert just_before.replace(tzinfo=None) < wall
    assert slot.instant <= slot_of(paper, day + DAY).instant


DESK = newsletter(
    "Asia/Singapore",
    stories=StoriesRule(lead=timedelta(minutes=90)),
    approval=Approval(by=time(6, 45)),
    lock=time(6, 30),
    deliver_by=time(11),
)


def test_deadlines_stand_on_the_date_of_the_slot() -> None:
    slot = slot_of(DESK, date(2026, 5, 27))
    assert build_at(slot, DESK) == instant("2026-05-27T05:30+08:00")
    assert lock_at(slot, DESK) == instant("2026-05-27T06:30+08:00")
    assert approval_deadline(slot, DESK) == instant("2026-05-27T06:45+08:00")
    assert deliver_by_at(slot, DESK) == instant("2026-05-27T11:00+08:00")


def test_deadlines_over_midnight() -> None:
    night = dataclasses.replace(DESK, at=time(0, 15), approval=Approval(by=time(23, 45)), deliver_by=time(0, 10))
    slot = slot_of(night, date(2026, 5, 27))
    assert build_at(slot, night) == instant("2026-05-26T22:45+08:00")
    assert lock_at(slot, night) == instant("2026-05-26T06:30+08:00")
    assert approval_deadline(slot, night) == instant("2026-05-26T23:45+08:00")
    assert deliver_by_at(slot, night) == instant("2026-05-28T00:10+08:00")


def test_no_deadline_where_none_is_set() -> None:
    bare = newsletter("UTC")
    slot = slot_of(bare, date(2026, 5, 27))
    assert (lock_at(slot, bare), approval_deadline(slot, bare), deliver_by_at(slot, bare)) == (None, None, None)


def test_a_skipped_slot_has_deadlines_for_who_backfills_it() -> None:
    skipping = dataclasses.replace(DESK, skip={date(2026, 5, 27): "sg-holidays"})
    slot = slot_of(skipping, date(2026, 5, 27))
    assert build_at(slot, skipping) == instant("2026-05-27T05:30+08:00")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NASTY), st.sampled_from(YEARS), st.sampled_from(TIMES), st.sampled_from(TIMES))
def test_deadlines_never_come_after_what_they_are_for(zone: str, day: date, at: time, by: time) -> None:
    paper = newsletter(zone, at, lock=by, approval=Approval(by=by), deliver_by=by)
    slot = slot_of(paper, day)
    lock, deadline, expiry = lock_at(slot, paper), approval_deadline(slot, paper), deliver_by_at(slot, paper)
    assert lock is not None
    assert expiry is not None
    assert lock == deadline
    assert slot.instant - 27 * HOUR <= lock <= slot.instant <= expiry <= slot.instant + 27 * HOUR
