"""What a decision beside schedule.yaml would mean, before anybody makes it: the same comparison for every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from newsletter.errors import NothingToDoError
from newsletter.model import OPEN, UNDERWAY, Issue, IssueId
from newsletter.newsroom.planning import scheduling
from newsletter.newsroom.room import Newsroom
from newsletter.plan import EVERY, Newsletter, Overlay, OverlayKind, Slot, Timetable

__all__ = ["AHEAD", "Foreseen", "ending", "pausing", "resuming", "skipping"]

AHEAD = timedelta(days=14)
"""How far one looks where a decision has no end."""

_FURTHEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The slots that would lose their issue, and those that would have one after all, in order and not beyond `until`.

    `skipped` are issues that are there and would be skipped at once, `left_alone` those that have begun.
    """

    until: datetime
    lost: tuple[Slot, ...]
    won: tuple[Slot, ...]
    skipped: tuple[Issue, ...]
    left_alone: tuple[Issue, ...]


def pausing(room: Newsroom, name: str, first: date | None, until: date | None) -> Foreseen:
    """What `scheduling.pause` would mean; raises what it would."""
    first = scheduling.check_pause(room, name, first, until)
    return _with(room, _made(room, name, OverlayKind.PAUSE, first, until, EVERY))


def skipping(room: Newsroom, issue_id: IssueId) -> Foreseen:
    """What `scheduling.skip` would mean; raises what it would."""
    scheduling.check_skip(room, issue_id)
    return _with(
        room, _made(room, issue_id.newsletter, OverlayKind.SKIP, issue_id.date, issue_id.date, issue_id.number)
    )


def resuming(room: Newsroom, name: str) -> Foreseen:
    """What `scheduling.resume` would mean; raises what it would."""
    pauses = [each for each in _in_force(room, name) if each.kind is OverlayKind.PAUSE]
    if not pauses:
        raise NothingToDoError(f"{name} is not paused")
    return _without(room, name, pauses)


def ending(room: Newsroom, overlay: Overlay) -> Foreseen:
    """What `scheduling.end` would mean."""
    return _without(room, overlay.newsletter, [overlay])


def _made(room: Newsroom, name: str, kind: OverlayKind, first: date, last: date | None, number: int) -> Overlay:
    now = room.clock.now()
    return Overlay(newsletter=name, kind=kind, first=first, last=last, number=number, who="you", made_at=now)


def _with(room: Newsroom, made: Overlay) -> Foreseen:
    newsletter = room.newsletter(made.newsletter)
    last = made.last or room.clock.now().astimezone(newsletter.timezone).date() + AHEAD
    return _compare(room, newsletter, [*room.timetable.overlays.get(made.newsletter, ()), made], last)


def _without(room: Newsroom, name: str, ended: Sequence[Overlay]) -> Foreseen:
    newsletter, now = room.newsletter(name), room.clock.now()
    gone = {each.id for each in ended}
    overlays = room.timetable.overlays.get(name, ())
    after = [replace(each, ended_at=now) if each.id in gone else each for each in overlays]
    soon = now.astimezone(newsletter.timezone).date() + AHEAD
    return _compare(room, newsletter, after, max((each.last or soon for each in ended), default=soon))


def _compare(room: Newsroom, newsletter: Newsletter, overlays: Sequence[Overlay], last: date) -> Foreseen:
    now, present = room.clock.now(), room.timetable
    future = Timetable(present.plan, {**present.overlays, newsletter.name: overlays})
    last = min(last, (now + _FURTHEST).date())
    until = min(datetime.combine(last + timedelta(days=1), time(), newsletter.timezone), now + _FURTHEST)
    due = {_key(slot): slot for slot in present.slots_between(newsletter, now, until) if slot.due}
    due_then = {_key(slot): slot for slot in future.slots_between(newsletter, now, until) if slot.due}
    stopped = [
        issue
        for issue in room.issues.in_state(*OPEN, *UNDERWAY)
        if issue.id.newsletter == newsletter.name
        and future.slot_of(newsletter, issue.id.date, issue.id.number).stopped_by is not None
    ]
    return Foreseen(
        until,
        tuple(slot for key, slot in due.items() if key not in due_then),
        tuple(slot for key, slot in due_then.items() if key not in due),
        tuple(issue for issue in stopped if issue.state in OPEN),
        tuple(issue for issue in stopped if issue.state in UNDERWAY),
    )


def _key(slot: Slot) -> tuple[date, int]:
    return slot.date, slot.number


def _in_force(room: Newsroom, name: str) -> list[Overlay]:
    return [each for each in room.timetable.overlays.get(name, ()) if each.ended_at is None]
