"""What people decide beside schedule.yaml: pause and resume, skip a date, move an issue, an extra issue.

Each verb keeps its decision as an overlay and brings the issues that are there already in line with it. What is being
sent, or has been, is never touched. The `check_` functions raise what their verb would, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError, StorageError
from newsletter.model import BEGUN, OPEN, Issue, IssueId, IssueState
from newsletter.newsroom.planning.following import follow_all
from newsletter.newsroom.room import Newsroom
from newsletter.plan import EVERY, Newsletter, Overlay, OverlayKind, Slot, first_instant, slot_of

__all__ = [
    "Decided",
    "add_issue",
    "check_extra",
    "check_move",
    "check_pause",
    "check_skip",
    "end",
    "hour_without",
    "issue_of",
    "move",
    "pause",
    "pause_all",
    "resume",
    "skip",
    "take_skip_back",
]

YEARS = range(1990, 2200)


@dataclass(frozen=True, slots=True)
class Decided:
    """An overlay that was made or taken back, and a sentence for each issue that it found there."""

    overlay: Overlay
    said: tuple[str, ...] = ()


def pause(
    room: Newsroom, name: str, *, who: str, why: str = "", first: date | None = None, until: date | None = None
) -> Decided:
    """Have no issue appear from a local date (today) to another, both among them, or until somebody resumes it.

    Raises `InputError` for dates that cannot be, and `NothingToDoError` where it is paused then already.
    """
    newsletter = room.newsletter(name)
    with _alone(room, name):
        first = check_pause(room, name, first, until)
        made = _overlay(room, newsletter, OverlayKind.PAUSE, first, until, EVERY, who, why)
        return Decided(made, follow_all(room, newsletter))


def check_pause(room: Newsroom, name: str, first: date | None, until: date | None) -> date:
    """The first date of a pause, if there may be one."""
    today = room.clock.now().astimezone(room.newsletter(name).timezone).date()
    first = first or today
    if first < today or (until is not None and until < first):
        raise InputError(f"a pause goes from today ({today}) or later to a date that is not before its first")
    for each in _in_force(room, name, OverlayKind.PAUSE):
        if (each.last is None or first <= each.last) and (until is None or each.first <= until):
            until_then = f" until {each.last}" if each.last else ""
            raise NothingToDoError(
                f"{name} is {each.note}, from {each.first}{until_then}; `newsletter schedule resume {name}` ends that"
            )
    return first


def pause_all(room: Newsroom, *, who: str, why: str = "", until: date | None = None) -> list[Decided]:
    """Pause every newsletter that appears and is not paused then already; raises `NothingToDoError` for none."""
    decided = []
    for newsletter in room.plan.newsletters.values():
        if newsletter.enabled:
            with suppress(NothingToDoError):
                decided.append(pause(room, newsletter.name, who=who, why=why, until=until))
    if not decided:
        raise NothingToDoError("no newsletter is left that could be paused")
    return decided


def resume(room: Newsroom, name: str, *, who: str) -> Decided:
    """End every pause of the newsletter; issues whose hour is still to come are planned again.

    Raises `NothingToDoError` where there is none.
    """
    newsletter = room.newsletter(name)
    with _alone(room, name):
        paused = _in_force(room, name, OverlayKind.PAUSE)
        if not paused:
            raise NothingToDoError(f"{name} is not paused")
        for each in paused:
            room.overlays.end(each.id, room.clock.now(), who)
        return Decided(paused[-1], follow_all(room, newsletter))


def skip(room: Newsroom, name: str, day: date, *, who: str, why: str = "", number: int = 1) -> Decided:
    """Have the issue of a date not appear.

    Raises `InputError` where there is none to skip, `NothingToDoError` where it is skipped already, and
    `ChecksFailedError` when it is being sent.
    """
    newsletter = room.newsletter(name)
    with _alone(room, name):
        check_skip(room, IssueId(name, day, number))
        made = _overlay(room, newsletter, OverlayKind.SKIP, day, day, number, who, why)
        return Decided(made, follow_all(room, newsletter))


def check_skip(room: Newsroom, issue_id: IssueId) -> Slot:
    """The slot that may be skipped."""
    slot = _slot_there(room, room.newsletter(issue_id.newsletter), issue_id)
    if slot.due is None:
        raise NothingToDoError(f"{issue_id} is not due: {slot.note}")
    issue = _not_begun(room, issue_id)
    if slot.instant < room.clock.now() and (issue is None or issue.state not in OPEN):
        raise NothingToDoError(f"the hour of {issue_id} has passed{f'; it is {issue.state}' if issue else ''}")
    return slot


def take_skip_back(room: Newsroom, name: str, day: date, *, who: str, number: int = 1) -> Decided:
    """Have a skipped issue appear after all, if its hour is still to come; raises `NothingToDoError`."""
    newsletter = room.newsletter(name)
    with _alone(room, name):
        found = [each for each in _in_force(room, name, OverlayKind.SKIP) if (each.first, each.number) == (day, number)]
        if not found:
            slot = room.timetable.slot_of(newsletter, day, number)
            note = f"; it is {slot.note}" if slot.note else ""
            raise NothingToDoError(f"nobody skipped {IssueId(name, day, number)}{note}")
        for each in found:
            room.overlays.end(each.id, room.clock.now(), who)
        return Decided(found[-1], follow_all(room, newsletter))


def move(room: Newsroom, name: str, day: date, at: time | None, *, who: str, why: str = "", number: int = 1) -> Decided:
    """Have the issue of a date be due at another time of that date, on the newsletter's clocks; None is at once.

    Draft, lock and deadlines keep their distance. Raises `InputError` for a time that has passed or a date without an
    issue, `ChecksFailedError` for one that is stopped or has begun, and `NothingToDoError` where it is due then.
    """
    newsletter, issue_id = room.newsletter(name), IssueId(name, day, number)
    with _alone(room, name):
        due_at = check_move(room, issue_id, at)
        made = _moved_back(room, newsletter, issue_id, due_at, who) or _overlay(
            room, newsletter, OverlayKind.MOVE, day, day, number, who, why, due_at
        )
        return Decided(made, follow_all(room, newsletter))


def check_move(room: Newsroom, issue_id: IssueId, at: time | None) -> datetime:
    """When the issue would be due, if it may be moved."""
    newsletter = room.newsletter(issue_id.newsletter)
    due_at = _instant(room, newsletter, issue_id.date, at)
    slot = _slot_there(room, newsletter, issue_id)
    if slot.due is None:
        raise ChecksFailedError(f"{issue_id} is not due: {slot.note}; {_way_back(newsletter, slot)}")
    issue = _not_begun(room, issue_id)
    if issue is not None and issue.state not in OPEN:
        raise ChecksFailedError(
            f"{issue_id} is {issue.state}; `newsletter schedule run {newsletter.name} --date {issue_id.date}`"
            " makes it by hand"
        )
    if slot.due == due_at:
        raise NothingToDoError(f"{issue_id} is due then")
    return due_at


def add_issue(room: Newsroom, name: str, day: date, at: time | None, *, who: str, why: str = "") -> Decided:
    """Plan one more issue of a date, at a time on the newsletter's clocks; None is at once.

    It is built, pressed for and sent as any other. Raises `InputError` for a time that has passed, and
    `ChecksFailedError` while the newsletter is paused or switched off.
    """
    newsletter = room.newsletter(name)
    with _alone(room, name):
        due_at = check_extra(room, name, day, at)
        issue_id = room.issues.plan_another(name, day, due_at, room.clock.now(), who, least=2).id
        made = _overlay(room, newsletter, OverlayKind.EXTRA, day, day, issue_id.number, who, why, due_at)
    return Decided(made, (f"{issue_id} is planned",))


def check_extra(room: Newsroom, name: str, day: date, at: time | None) -> datetime:
    """When one more issue would be due, if there may be one."""
    newsletter = room.newsletter(name)
    due_at = _instant(room, newsletter, day, at)
    if not newsletter.enabled:
        raise ChecksFailedError(f"{name} is switched off in schedule.yaml (enabled: false)")
    slot = room.timetable.slot_of(newsletter, day, EVERY)
    if slot.stopped_by is not None:
        raise ChecksFailedError(f"{name} is {slot.note}; {_way_back(newsletter, slot)}")
    return due_at


def end(room: Newsroom, name: str, overlay_id: int, *, who: str) -> Decided:
    """Take one decision back, whatever its kind; an extra issue is skipped.

    Raises `NothingToDoError` where somebody has ended it, and else what the verb raises that takes its kind back.
    """
    newsletter = room.newsletter(name)
    overlays = room.timetable.overlays.get(name, ())
    found = next((each for each in overlays if each.id == overlay_id and each.ended_at is None), None)
    if found is None:
        raise NothingToDoError("that decision holds no longer: somebody has ended it")
    match found.kind:
        case OverlayKind.SKIP:
            return take_skip_back(room, name, found.first, who=who, number=found.number)
        case OverlayKind.EXTRA:
            return skip(room, name, found.first, who=who, number=found.number)
        case OverlayKind.MOVE:
            return move(room, name, found.first, hour_without(room, found), who=who, number=found.number)
    with _alone(room, name):
        if not room.overlays.end(found.id, room.clock.now(), who):
            raise NothingToDoError("that decision holds no longer: somebody has ended it")
        return Decided(found, follow_all(room, newsletter))


def hour_without(room: Newsroom, moved: Overlay) -> time:
    """The hour at which an issue would be due if nobody had moved it, on the newsletter's clocks."""
    newsletter = room.newsletter(moved.newsletter)
    overlays = room.timetable.overlays.get(moved.newsletter, ())
    others = [each for each in overlays if each.kind is not OverlayKind.MOVE]
    return slot_of(newsletter, moved.first, moved.number, others).instant.astimezone(newsletter.timezone).time()


def issue_of(overlay: Overlay) -> IssueId:
    """The issue that a skip, a move or an extra is about."""
    return IssueId(overlay.newsletter, overlay.first, overlay.number)


def _slot_there(room: Newsroom, newsletter: Newsletter, issue_id: IssueId) -> Slot:
    """The slot that the schedule has; raises `InputError` where it has none."""
    if issue_id.date.year in YEARS:
        slot = room.timetable.regular(newsletter, issue_id.date, issue_id.number)
        if slot is not None and newsletter.enabled:
            return slot
    raise InputError(
        f"the schedule has no {issue_id} ({issue_id.date:%A}); `newsletter schedule next --newsletter"
        f" {newsletter.name}` tells what it has, `newsletter schedule extra` adds an issue"
    )


def _moved_back(
    room: Newsroom, newsletter: Newsletter, issue_id: IssueId, due_at: datetime, who: str
) -> Overlay | None:
    """The move that is taken back by a move to where the issue stood without it."""
    overlays = room.timetable.overlays.get(newsletter.name, ())
    others = [each for each in overlays if each.kind is not OverlayKind.MOVE]
    if slot_of(newsletter, issue_id.date, issue_id.number, others).due != due_at:
        return None
    for each in overlays:
        if each.kind is OverlayKind.MOVE and (each.first, each.number) == (issue_id.date, issue_id.number):
            room.overlays.end(each.id, room.clock.now(), who)
            return each
    return None


def _not_begun(room: Newsroom, issue_id: IssueId) -> Issue | None:
    issue = room.issues.find(issue_id)
    if issue is not None and issue.state in BEGUN:
        how = f"; `newsletter issue stop {issue_id}` stops it" if issue.state is IssueState.SENDING else ""
        raise ChecksFailedError(f"{issue_id} is {issue.state}, and what has begun is not touched{how}")
    return issue


def _instant(room: Newsroom, newsletter: Newsletter, day: date, at: time | None) -> datetime:
    now = room.clock.now()
    if day.year not in YEARS:
        raise InputError(f"{day} is no date that a newsletter appears on")
    if at is None:
        return now
    instant = first_instant(day, at, newsletter.timezone)
    if instant <= now:
        local = now.astimezone(newsletter.timezone)
        raise InputError(f"{day} {at:%H:%M} has passed: it is {local:%Y-%m-%d %H:%M} there; `now` is at once")
    if instant.astimezone(newsletter.timezone).date() != day:
        raise InputError(f"{newsletter.timezone.key} never had {day} {at:%H:%M}")
    return instant


@contextmanager
def _alone(room: Newsroom, name: str) -> Iterator[None]:
    """Of two people who decide about one newsletter at once, the second sees what the first decided."""
    with room.database.hold(f"schedule of {name}") as held:
        if not held:
            raise StorageError(f"somebody else changes the schedule of {name} at this moment; repeat this")
        yield


def _overlay(
    room: Newsroom,
    newsletter: Newsletter,
    kind: OverlayKind,
    first: date,
    last: date | None,
    number: int,
    who: str,
    why: str,
    due_at: datetime | None = None,
) -> Overlay:
    return room.overlays.add(
        Overlay(
            newsletter=newsletter.name,
            kind=kind,
            first=first,
            last=last,
            number=number,
            due_at=due_at,
            who=who,
            why=" ".join(why.split()),
            made_at=room.clock.now(),
        )
    )


def _in_force(room: Newsroom, name: str, kind: OverlayKind) -> list[Overlay]:
    found = room.timetable.overlays.get(name, ())
    return [each for each in found if each.kind is kind and each.ended_at is None]


def _way_back(newsletter: Newsletter, slot: Slot) -> str:
    stop = slot.stopped_by
    if stop is None:
        return f"`newsletter schedule extra {newsletter.name} {slot.date} HH:MM` adds an issue"
    if stop.kind is OverlayKind.PAUSE:
        return f"`newsletter schedule resume {newsletter.name}` ends that"
    return f"`newsletter schedule skip {newsletter.name} {slot.date} --undo` takes that back"
