"""How an issue shares the mail server with others: who goes first, on which lines, and how fast."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from newsletter import deliver
from newsletter.deliver import Pace, Share
from newsletter.model import Issue, IssueId
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import send_once
from newsletter.ports import Transport
from newsletter.storage import LaneRows

__all__ = ["Pacing", "forget_spread", "pacing_of", "priority_of", "prove_relay"]

_USUAL, _BREAKING = 5, 9


@dataclass(frozen=True, slots=True)
class Pacing:
    """What `deliver.send` takes: the relay's pace, the issue's own, and a share of this process's lines."""

    pace: Pace | None
    spread: Pace | None
    lines: Callable[[], AbstractContextManager[Share | None]]


def pacing_of(room: Newsroom, issue: Issue) -> Pacing:
    """The pacing of a frozen issue, by what schedule.yaml says of its newsletter now.

    One that is spread over a time holds nobody up: whatever its priority, the others go on beside it. Where the
    schedule has nobody less urgent, nobody is told on the relay's lane, which would be a commit a second for nothing.
    """
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    priority = priority_of(room, issue)
    seconds = newsletter.spread.total_seconds() if newsletter is not None and not _is_breaking(room, issue) else 0
    readers = sum(room.deliveries.counts(issue.id).values())
    lanes, shared, patient = LaneRows(room.database), room.lines, seconds > 0
    alone = not any(other.priority < priority for other in room.plan.newsletters.values())
    return Pacing(
        pace=deliver.open_pace(room.settings, lanes, priority, patient or alone),
        spread=Pace(lanes, _spread_lane(issue.id), readers / seconds) if patient and readers else None,
        lines=nullcontext if shared is None else lambda: shared.share(priority, patient),
    )


def priority_of(room: Newsroom, issue: Issue) -> int:
    """How urgent an issue is: as its newsletter is by schedule.yaml, and breaking news before all others."""
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    if _is_breaking(room, issue):
        return _BREAKING
    return newsletter.priority if newsletter is not None else _USUAL


def _is_breaking(room: Newsroom, issue: Issue) -> bool:
    if issue.window_end is not None:
        return False
    snapshot = issue.snapshot or room.issues.get(issue.id).snapshot  # lists of issues come without
    return snapshot is not None and snapshot.breaking


def prove_relay(room: Newsroom, transport: Transport, stop: Callable[[], bool] = lambda: False) -> None:
    """Raise `TransportError` where no mail server answers, or `stop` says so before one has.

    Where this process is talking to it already that is proved, and a line too many would be one that it may refuse.
    """
    if room.lines is None:
        send_once(transport, [], stop=stop)
        return
    with room.lines.share(priority=1, patient=True) as share:
        if share.take():
            try:
                send_once(transport, [], stop=stop)
            finally:
                share.give_back()


def forget_spread(room: Newsroom, issue_id: IssueId) -> None:
    """Throw away what an issue that is settled needed for its own pace."""
    LaneRows(room.database).forget(_spread_lane(issue_id))


def _spread_lane(issue_id: IssueId) -> str:
    """The lane that all senders of the issue share, beside those of mail servers, whose names end in a port."""
    return f"issue {issue_id}"
