"""Issues follow the schedule: what a pause, a skip, a move, or a change of the file means for those that are there."""

from __future__ import annotations

from datetime import datetime

from newsletter.model import BEGUN, OPEN, UNDERWAY, Issue, IssueId, IssueState
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter, Overlay, Timetable

__all__ = ["by_hand", "follow", "follow_all"]


def follow(room: Newsroom, timetable: Timetable, issue: Issue, now: datetime) -> str:
    """Bring an issue in line with its slot, and say what was done; empty where nothing was.

    A stopped slot skips it and voids its approval; a stop that was taken back before its hour plans it again; another
    instant makes it due then. An issue that has begun is left alone, and so is one made by hand.
    """
    newsletter = timetable.plan.newsletters.get(issue.id.newsletter)
    slot = timetable.regular(newsletter, issue.id.date, issue.id.number) if newsletter else None
    if slot is None or issue.state in BEGUN or issue.frozen_at is not None:
        return ""
    if (stop := slot.stopped_by) is not None:
        skipped = issue.state in OPEN and room.issues.step_back(
            issue.id, OPEN, IssueState.SKIPPED, now=now, who=stop.who, why=stop.note
        )
        return f"{issue.id} was {issue.state}; it is skipped" if skipped else ""
    said = ""
    if issue.due_at != slot.instant:
        room.issues.reschedule(issue.id, slot.instant)
        said = f"{issue.id} is {issue.state} and due at another time" if issue.state in OPEN else ""
    if issue.state is IssueState.SKIPPED and slot.due is not None and now < slot.instant:
        stop, back = _stop_of(room, issue), IssueState.PLANNED
        if stop is not None and room.issues.step_back(
            issue.id, (IssueState.SKIPPED,), back, now=now, who=stop.ended_by or "", why="taken back"
        ):
            said = f"{issue.id} is planned again"
    return said


def follow_all(room: Newsroom, newsletter: Newsletter) -> tuple[str, ...]:
    """Bring every issue of the newsletter in line; a sentence for each that a person should know of."""
    timetable, now = room.timetable, room.clock.now()
    today = now.astimezone(newsletter.timezone).date()
    said = []
    for issue in reversed(room.issues.list(newsletter.name)):
        if issue.state in OPEN or (issue.state is IssueState.SKIPPED and issue.id.date >= today):
            said.append(follow(room, timetable, issue, now) or _stays(room, timetable, newsletter, issue))
        elif issue.state in UNDERWAY:
            said.append(_left_alone(timetable, newsletter, issue))
    return tuple(filter(None, said))


def by_hand(issue_id: IssueId) -> str:
    """The command that makes an issue whatever the hour."""
    number = f" --number {issue_id.number}" if issue_id.number > 1 else ""
    return f"`newsletter schedule run {issue_id.newsletter} --date {issue_id.date}{number}`"


def _stays(room: Newsroom, timetable: Timetable, newsletter: Newsletter, issue: Issue) -> str:
    slot = timetable.slot_of(newsletter, issue.id.date, issue.id.number)
    if issue.state is IssueState.SKIPPED and slot.due is not None and _stop_of(room, issue) is not None:
        return f"{issue.id} stays skipped, for its hour has passed; {by_hand(issue.id)} makes it late"
    return ""


def _left_alone(timetable: Timetable, newsletter: Newsletter, issue: Issue) -> str:
    if timetable.slot_of(newsletter, issue.id.date, issue.id.number).stopped_by is None:
        return ""
    how = f"; `newsletter issue stop {issue.id}` stops it" if issue.state is IssueState.SENDING else ""
    return f"{issue.id} is {issue.state} and is left alone{how}"


def _stop_of(room: Newsroom, issue: Issue) -> Overlay | None:
    """The stop for which an issue is skipped, once it was taken back."""
    kept = room.overlays.list(issue.id.newsletter)
    return next((each for each in kept if each.ended_at is not None and each.note == issue.reason), None)
