"""What running a slot by hand would do, without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import EDITABLE, Issue, IssueId, IssueState, Snapshot
from newsletter.newsroom.intake import related
from newsletter.newsroom.issue import issues
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Slot

__all__ = ["WouldBuild", "would_build"]


@dataclass(frozen=True, slots=True)
class WouldBuild:
    """The draft that would be made for a slot from the stories that are there, and the state it would be in.

    `present` is the issue that is there already.
    """

    issue_id: IssueId
    slot: Slot
    present: Issue | None
    snapshot: Snapshot
    state: IssueState
    reason: str


def would_build(room: Newsroom, name: str, day: date | None, number: int = 1) -> WouldBuild:
    """What `issues.build` would make now; writes nothing, and raises what that would raise."""
    newsletter, now = room.newsletter(name), room.clock.now()
    issue_id = IssueId(name, day or now.astimezone(newsletter.timezone).date(), number)
    if issue_id.date.year not in issues.YEARS:
        raise InputError(f"{issue_id.date} is no date that a newsletter appears on")
    slot = room.timetable.slot_of(newsletter, issue_id.date, number)
    if slot.stopped_by is not None:
        raise ChecksFailedError(f"{issue_id} is {slot.note}; `newsletter schedule overlays` tells how that ends")
    present = room.issues.find(issue_id)
    if present is not None and present.state not in EDITABLE:
        raise NothingToDoError(f"{issue_id} is {present.state}: its content is settled")
    due_at = present.due_at if present else slot.instant
    snapshot = issues.composed(
        room,
        newsletter,
        issue_id,
        now,
        due_at,
        lambda stories: {story.id: related.offers_kept(room, story.id) for story in stories},
    )
    state, reason = issues.judge(newsletter, snapshot)
    return WouldBuild(issue_id, slot, present, snapshot, state, reason)
