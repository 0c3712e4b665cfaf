"""Mail out: an approved issue is sent, with books that balance."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from newsletter import deliver
from newsletter.errors import ChecksFailedError, NothingToDoError, RefusingError
from newsletter.model import (
    UNSETTLED,
    Books,
    DeliveryState,
    Issue,
    IssueId,
    IssueState,
)
from newsletter.newsroom.dispatch.audience import choose
from newsletter.newsroom.dispatch.freezing import approved_snapshot, freeze, reopen, take_up
from newsletter.newsroom.dispatch.ledgers import LEAST_TIME, give_up_after, give_up_at, open_ledger
from newsletter.newsroom.dispatch.messages import message_maker
from newsletter.newsroom.dispatch.pacing import forget_spread, pacing_of
from newsletter.newsroom.dispatch.reconciling import refuse_forgetful
from newsletter.newsroom.people.alerts import alert
from newsletter.newsroom.readership import replaying
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import deliver_issue
from newsletter.storage.reconciling import take_part

__all__ = ["deliveries_left", "dry_run", "has_work", "resume", "send"]

Progress = Callable[[Mapping[str, int]], None]


def send(
    room: Newsroom,
    issue_id: IssueId,
    *,
    wait: bool = False,
    retry_now: bool = False,
    resume: bool = False,
    who: str = "sender",
    stop: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
) -> Books:
    """Send what is approved and not yet settled; safe to repeat after any crash, and from several processes.

    With `resume`, which is for a person (`who`) to say, also the rest of what is stopped when this begins.

    Raises `ChecksFailedError` for an issue without approval, `NothingToDoError` for a settled one,
    `NotLiveError` before anything is frozen, `TransportError` when the server takes nothing, `StorageError` when the
    database is full, gone, or an old backup.
    """
    issue = _sendable(room, issue_id)
    refuse_forgetful(room, issue_id)
    replaying.catch_up(room)
    transport = room.transport(issue_id)
    keys = deliver.dkim_keys(room.settings)
    if issue.state is IssueState.APPROVED:
        begin = freeze if issue.frozen_at is None else take_up
        issue = begin(room, issue, transport, stop)
    else:
        issue = reopen(room, issue, transport, who if resume else None)
    until, longest = give_up_at(room, issue), give_up_after(room, issue)
    now = room.clock.now()
    if retry_now:
        room.sends.retry_now(issue_id)
        until, longest = max(until, now + LEAST_TIME), timedelta.max
    if now > until:
        room.sends.expire(issue_id, now)
    take_part(room.database, room.journal, issue_id)
    pacing = pacing_of(room, issue)
    with open_ledger(room, issue, until, longest) as ledger:
        try:
            deliver_issue(
                ledger,
                transport,
                message_maker(room, issue, transport, keys),
                room.clock,
                pace=pacing.pace,
                spread=pacing.spread,
                lines=pacing.lines,
                threads=(os.cpu_count() or 1) if keys else 0,
                wait=wait,
                stop=stop,
                progress=progress,
            )
        except RefusingError as error:
            if room.sends.stop(issue_id, now=room.clock.now(), who="breaker", why=str(error)):
                alert(room, "stopped", issue_id, f"{error}; {_afterwards(issue_id)}")
            raise
        finally:
            _settle(room, issue_id)
    return room.issues.books(issue_id)


def resume(room: Newsroom, issue_id: IssueId, *, who: str) -> Issue:
    """Have the rest of a stopped issue sent, by whoever sends for this desk.

    Raises `NothingToDoError` unless the issue is stopped, `NotLiveError` where its rest may not leave.
    """
    issue = room.issues.get(issue_id)
    if issue.state is not IssueState.STOPPED:
        raise NothingToDoError(f"{issue_id} is {issue.state}, not stopped")
    refuse_forgetful(room, issue_id)
    return reopen(room, issue, room.transport(issue_id), who)


def dry_run(room: Newsroom, issue_id: IssueId) -> Mapping[str, int]:
    """How many readers of each edition (by key), and how many of each exclusion, a send would freeze now."""
    issue = _sendable(room, issue_id)
    snapshot = approved_snapshot(issue)
    with room.database.read() as connection:
        chosen = choose(room, connection, snapshot)
    readers = {edition.key: number for edition, number in chosen.readers.items()}
    return readers | {f"excluded: {reason}": number for reason, number in chosen.excluded.items()}


def has_work(room: Newsroom, issue: Issue, now: datetime) -> bool:
    """Whether a send of a frozen issue would find something to do at this moment."""
    if room.deliveries.anything_due(issue.id, now):
        return True
    counts = room.deliveries.counts(issue.id)
    if not any(counts.get(state, 0) for state in UNSETTLED):
        return True
    return bool(counts.get(DeliveryState.DEFERRED)) and now > give_up_at(room, issue)


def deliveries_left(books: Books) -> bool:
    """Whether deferred or unknown deliveries remain."""
    return any(books.deliveries.get(state, 0) for state in (*UNSETTLED, DeliveryState.UNKNOWN))


def _sendable(room: Newsroom, issue_id: IssueId) -> Issue:
    issue = room.issues.get(issue_id)
    match issue.state:
        case IssueState.APPROVED | IssueState.SENDING | IssueState.STOPPED:
            return issue
        case IssueState.SUBMITTED:
            raise NothingToDoError(f"{issue_id} was handed to the mail server at {issue.settled_at:%Y-%m-%d %H:%M} UTC")
        case _:
            because = f" ({issue.reason})" if issue.reason else ""
            raise ChecksFailedError(
                f"{issue_id} is {issue.state}{because}, not approved; `newsletter issue approve {issue_id}` seals it"
            )


def _afterwards(issue_id: IssueId) -> str:
    return (
        f"`newsletter issue retry {issue_id} --state rejected` queues those again who were refused for it, and"
        f" `newsletter issue send {issue_id}` sends the rest"
    )


def _settle(room: Newsroom, issue_id: IssueId) -> None:
    """Close the issue once nothing is queued, in flight or deferred and the books balance."""
    counts = room.deliveries.counts(issue_id)
    if not any(counts.get(state, 0) for state in UNSETTLED) and room.issues.books(issue_id).balanced:
        room.sends.settle(issue_id, room.clock.now())
        forget_spread(room, issue_id)
