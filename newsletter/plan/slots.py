"""When newsletters are due: wall-clock times of a zone as instants, exactly one a date.

A time of day on a date means the first instant at which that zone's clocks show it or something later. So a
time inside a spring gap moves to the end of the gap, and a time that comes twice in autumn is taken the first
time. No schedule library is asked: APScheduler 3.11.3 fires twice at 01:30 London in autumn and skips the day
at 00:30 Beirut in spring (measured).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.plan.overlays import Overlay, OverlayKind
from newsletter.plan.values import Newsletter

__all__ = [
    "Slot",
    "approval_deadline",
    "build_at",
    "deliver_by_at",
    "first_instant",
    "is_regular",
    "lock_at",
    "quiet_until",
    "slot_of",
    "slots_between",
    "wave_at",
]

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_STOPS = (OverlayKind.PAUSE, OverlayKind.SKIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One newsletter on one date: the name of at most one issue (`number` 1; extra issues count on).

    `instant` (UTC) is where the slot stands in time, also when it is skipped; `due` is the same instant, or
    None when no issue appears. `local` is `due` on the newsletter's own clocks, to be shown, not compared: a
    local time that comes twice equals no instant of another zone (PEP 495). `note` says what is unusual:
    "clock change: 02:30 does not exist, moved to 03:00", "skipped: sg-holidays", "paused by NAME: reason".
    `overlay` is the decision of a person that made it so, where one did.
    """

    newsletter: str
    date: date
    number: int = 1
    instant: datetime
    due: datetime | None
    local: datetime | None
    note: str | None = None
    overlay: Overlay | None = None

    @property
    def stopped_by(self) -> Overlay | None:
        """The pause or skip because of which no issue appears, while it is in force."""
        overlay = self.overlay
        return overlay if overlay and overlay.kind in _STOPS and overlay.ended_at is None else None


def slot_of(newsletter: Newsletter, day: date, number: int = 1, overlays: Iterable[Overlay] = ()) -> Slot:
    """The slot of a newsletter on a date, whatever its `days` say: an editor may ask for any date and number.

    `overlays` are the newsletter's own, earliest first. A pause or a skip outweighs a move, and a later move an
    earlier one; what schedule.yaml skips stays skipped, but for an extra issue.
    """
    slot = _written(newsletter, day, number)
    for overlay in overlays:
        if overlay.kind is OverlayKind.EXTRA and overlay.holds(day, number, slot.instant):
            slot = _due(slot, newsletter, overlay, overlay.note)
    if slot.local is None:
        return slot
    before = slot.local
    for overlay in overlays:
        if overlay.kind is OverlayKind.MOVE and overlay.holds(day, number, slot.instant):
            slot = _due(slot, newsletter, overlay, f"moved from {before:%H:%M} by {overlay.who}{overlay.because}")
    for overlay in overlays:
        if overlay.kind in _STOPS and overlay.holds(day, number, slot.instant):
            return replace(slot, due=None, local=None, note=overlay.note, overlay=overlay)
    return slot


def slots_between(
    newsletter: Newsletter, start: datetime, end: datetime, overlays: Sequence[Overlay] = ()
) -> Iterator[Slot]:
    """The slots with `start` ≤ `instant` < `end` (aware), in order: of the newsletter's days, and extra issues.

    Skipped ones are among them, with their note. One that is not `enabled` has none. Whatever the overlays, each of
    its days has exactly one slot of number 1.
    """
    if not newsletter.enabled or start >= end:
        return
    first = start.astimezone(newsletter.timezone).date() - _DAY
    last = end.astimezone(newsletter.timezone).date() + _DAY
    wanted = [(first + offset * _DAY, 1) for offset in range((last - first).days + 1)]
    # A moved issue may be due far from its date.
    wanted += [(each.first, each.number) for each in overlays if each.due_at is not None]
    found = [
        slot_of(newsletter, day, number, overlays)
        for day, number in dict.fromkeys(wanted)
        if is_regular(newsletter, day, number, overlays)
    ]
    found.sort(key=lambda slot: (slot.instant, slot.date, slot.number))
    yield from (slot for slot in found if start <= slot.instant < end)


def is_regular(newsletter: Newsletter, day: date, number: int, overlays: Iterable[Overlay] = ()) -> bool:
    """Whether the schedule itself has such a slot: on one of its days, or an extra issue that was ordered."""
    if number == 1:
        return day.isoweekday() in newsletter.days
    return any(
        (each.kind, each.first, each.number, each.ended_at) == (OverlayKind.EXTRA, day, number, None)
        for each in overlays
    )


def build_at(slot: Slot, newsletter: Newsletter) -> datetime:
    """When the draft is built: `lead` of real time before the slot, also over a clock change."""
    return slot.instant - newsletter.stories.lead


def lock_at(slot: Slot, newsletter: Newsletter) -> datetime | None:
    """From when on nothing changes by itself; None where no `lock` is set. Like every deadline it keeps its distance
    to an issue that was moved."""
    return _before(slot, newsletter, newsletter.lock)


def approval_deadline(slot: Slot, newsletter: Newsletter) -> datetime | None:
    """By when an approval is expected; None where no `approval.by` is set.

    A person who moves an issue when that has passed gives time until the issue is due; and one who has it run at once,
    until it is too late for it.
    """
    deadline = _before(slot, newsletter, newsletter.approval.by)
    if slot.overlay is None or slot.overlay.due_at is None:
        return deadline
    if slot.instant <= slot.overlay.made_at:
        return slot.instant + newsletter.catch_up.within
    return slot.instant if deadline is not None and deadline <= slot.overlay.made_at else deadline


def deliver_by_at(slot: Slot, newsletter: Newsletter) -> datetime | None:
    """When deliveries still deferred expire: the same date, or the next if that is not after `at`."""
    if newsletter.deliver_by is None:
        return None
    day = slot.date if newsletter.deliver_by > newsletter.at else slot.date + _DAY
    return first_instant(day, newsletter.deliver_by, newsletter.timezone) + _moved(slot, newsletter)


def wave_at(newsletter: Newsletter, day: date, due: datetime, zone: ZoneInfo) -> datetime:
    """When readers in `zone` get the issue of that date, which is `due` in the newsletter's own zone: at the same time
    of the same day by their own clocks, and never before it is due.

    An issue that was moved to another hour is due at that hour everywhere.
    """
    at = newsletter.at
    if due != first_instant(day, at, newsletter.timezone):
        local = due.astimezone(newsletter.timezone)
        day, at = local.date(), local.time()
    return max(due, first_instant(day, at, zone))


def first_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clocks of `zone` show `at` on `day`, or have gone past it."""
    wall = datetime.combine(day, at, zone).replace(fold=0)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    # In a gap fold=0 reckons with the offset before the change and lands after it, fold=1 the other way round
    # (PEP 495), so that the change lies between the two.
    before, after = wall.replace(fold=1).astimezone(UTC), instant
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def quiet_until(newsletter: Newsletter, now: datetime) -> datetime | None:
    """When the newsletter's quiet hours end, if it has them now."""
    if newsletter.quiet_hours is None:
        return None
    start, end = newsletter.quiet_hours
    local = now.astimezone(newsletter.timezone)
    at = local.time()
    quiet = start <= at < end if start < end else at >= start or at < end
    if not quiet:
        return None
    day = local.date() if at < end else local.date() + timedelta(days=1)
    return first_instant(day, end, newsletter.timezone)


def _before(slot: Slot, newsletter: Newsletter, at: time | None) -> datetime | None:
    """A time that comes before `at`: on the slot's date, or the day before if it is later than `at`."""
    if at is None:
        return None
    day = slot.date if at <= newsletter.at else slot.date - _DAY
    return first_instant(day, at, newsletter.timezone) + _moved(slot, newsletter)


def _moved(slot: Slot, newsletter: Newsletter) -> timedelta:
    """How far from `at` the slot stands."""
    return slot.instant - first_instant(slot.date, newsletter.at, newsletter.timezone)


def _written(newsletter: Newsletter, day: date, number: int) -> Slot:
    """The slot as schedule.yaml has it."""
    instant = first_instant(day, newsletter.at, newsletter.timezone)
    local = instant.astimezone(newsletter.timezone)
    slot = Slot(newsletter=newsletter.name, date=day, number=number, instant=instant, due=None, local=None)
    if reason := _skipped(newsletter, day):
        return replace(slot, note=reason)
    return replace(slot, due=instant, local=local, note=_clock_change(newsletter, day, local))


def _due(slot: Slot, newsletter: Newsletter, overlay: Overlay, note: str) -> Slot:
    """The slot at the time that the overlay gives it."""
    assert overlay.due_at is not None, f"{overlay.kind} says when"
    local = overlay.due_at.astimezone(newsletter.timezone)
    return replace(slot, instant=overlay.due_at, due=overlay.due_at, local=local, note=note, overlay=overlay)


def _skipped(newsletter: Newsletter, day: date) -> str | None:
    midnight = first_instant(day, time(0), newsletter.timezone)
    if midnight.astimezone(newsletter.timezone).date() != day:
        return "skipped: no such date"
    return f"skipped: {newsletter.skip[day]}" if day in newsletter.skip else None


def _clock_change(newsletter: Newsletter, day: date, local: datetime) -> str | None:
    at = newsletter.at
    if local.replace(tzinfo=None) != datetime.combine(day, at):
        return f"clock change: {at:%H:%M} does not exist, moved to {local:%H:%M}"
    if local.replace(fold=1).utcoffset() != local.utcoffset():
        return f"clock change: {at:%H:%M} comes twice, taken the first time"
    return None
