"""An issue's ledger for one more sender, and how long it goes on trying."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.engine import Connection

from newsletter import deliver
from newsletter.model import (
    Issue,
    IssueId,
)
from newsletter.newsroom.dispatch.waves import last_wave
from newsletter.newsroom.programs import happenings
from newsletter.newsroom.room import Newsroom
from newsletter.plan import deliver_by_at
from newsletter.storage import IssueLedger
from subscribers.audience import still_wanted

__all__ = ["LEAST_TIME", "give_up_after", "give_up_at", "open_ledger"]

LEAST_TIME = timedelta(hours=4)
"""That much is tried at least, whatever the deadline: an issue may begin late."""


def open_ledger(
    room: Newsroom,
    issue: Issue,
    until: datetime | None = None,
    longest: timedelta = timedelta.max,
) -> IssueLedger:
    """One more sender's ledger of a frozen issue; what is deferred beyond `until`, or has been tried for longer than
    `longest`, expires."""
    return IssueLedger(
        room.database,
        issue.id,
        flights=room.desk / ".flights",
        journal=room.journal,
        wanted=_still_wanted(room, issue.id),
        backoff=deliver.backoff,
        give_up_at=until or give_up_at(room, issue),
        give_up_after=longest,
        resend=room.settings.on_unknown == "resend",
        refused=partial(happenings.tell_refused, issue.id),
    )


def give_up_at(room: Newsroom, issue: Issue) -> datetime:
    """When what is still deferred expires; where readers get it in waves, it counts from the last that can be."""
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    # What a person took up again, queued again or corrected has its time from then on.
    started = room.issues.begun_at(issue.id) or room.clock.now()
    slot = room.timetable.slot_of(newsletter, issue.id.date, issue.id.number) if newsletter else None
    deadline = deliver_by_at(slot, newsletter) if slot and newsletter else None
    last = max(deadline, started + LEAST_TIME) if deadline else started + timedelta(days=1)
    return last + last_wave(room, issue)


def give_up_after(room: Newsroom, issue: Issue) -> timedelta:
    """How long one reader's message is tried where there are waves: from any wave as long as from the first."""
    last = last_wave(room, issue)
    return give_up_at(room, issue) - last - issue.due_at if last else timedelta.max


def _still_wanted(room: Newsroom, issue_id: IssueId) -> Callable[[Connection, Sequence[int]], set[int]]:
    return lambda connection, ids: still_wanted(connection, issue_id.newsletter, ids)
