"""Deliveries whose fate no machine can know, settled by a person who looked it up."""

from __future__ import annotations

from newsletter.errors import NothingToDoError
from newsletter.model import DeliveryState, IssueId
from newsletter.newsroom.room import Newsroom

__all__ = ["resolve"]


def resolve(room: Newsroom, issue_id: IssueId, *, resend: bool, email: str | None, who: str) -> tuple[int, int]:
    """Take what is unknown for submitted, or queue it again though it may then arrive twice.

    Of the whole issue, or of one address. Returns how many those were and how many stay unknown. Raises
    `NothingToDoError` where there is none.
    """
    after = DeliveryState.QUEUED if resend else DeliveryState.SUBMITTED
    number, left = room.deliveries.resolve(issue_id, after, email=email, now=room.clock.now(), who=who)
    if not number:
        of = f" to {email}" if email else ""
        raise NothingToDoError(f"no delivery of {issue_id}{of} is unknown; {left} of the issue are")
    return number, left
