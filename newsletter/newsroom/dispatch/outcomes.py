"""What a person decides about deliveries: a send stopped or given up, failures tried again, doubts settled."""

from __future__ import annotations

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import GIVEN_UP, DeliveryState, IssueId, IssueState
from newsletter.newsroom.dispatch.ledgers import open_ledger
from newsletter.newsroom.dispatch.reconciling import refuse_forgetful
from newsletter.newsroom.room import Newsroom

__all__ = ["give_up", "resolve", "retry", "stop"]

"""What the program never tries again by itself."""


def stop(room: Newsroom, issue_id: IssueId, *, who: str, why: str = "") -> int:
    """Begin nothing more of an issue that is being sent; returns how many are still in flight.

    `sending.send` sends the rest. Raises `NothingToDoError` unless the issue is being sent.
    """
    refuse_forgetful(room, issue_id)
    if not room.sends.stop(issue_id, now=room.clock.now(), who=who, why=why):
        raise NothingToDoError(f"{issue_id} is {room.issues.get(issue_id).state}, not being sent")
    return room.deliveries.counts(issue_id).get(DeliveryState.SENDING, 0)


def give_up(room: Newsroom, issue_id: IssueId, *, who: str) -> int:
    """Cancel what a stopped issue has not sent, and settle it; returns how many that were.

    One that was stopped to be corrected has to be approved first: its web view goes on. Raises `ChecksFailedError`
    unless it is so and nothing of it is in flight.
    """
    issue = room.issues.get(issue_id)
    refuse_forgetful(room, issue_id)
    corrected = issue.state is IssueState.APPROVED and issue.frozen_at is not None
    if issue.state is not IssueState.STOPPED and not corrected:
        first = f"; `newsletter issue stop {issue_id}` stops it first" if issue.state is IssueState.SENDING else ""
        raise ChecksFailedError(f"{issue_id} is {issue.state}, not stopped{first}")
    now = room.clock.now()
    with open_ledger(room, issue) as ledger:
        ledger.recover(now)
    number = room.sends.give_up(issue_id, now=now, who=who)
    if number is None:
        raise ChecksFailedError(f"messages of {issue_id} are still in flight, or again; repeat this in a moment")
    return number


def retry(room: Newsroom, issue_id: IssueId, *, state: DeliveryState, email: str | None, who: str) -> int:
    """Queue failures again, of the whole issue or of one address; returns how many.

    Raises `InputError` for a state that is no failure, and `NothingToDoError` where no delivery is in it.
    """
    if state not in GIVEN_UP:
        raise InputError(f"{state} is no failure; there are {', '.join(GIVEN_UP)}")
    refuse_forgetful(room, issue_id)
    number, _ = room.sends.decide(
        issue_id, state, DeliveryState.QUEUED, email=email, now=room.clock.now(), who=who, why="queued again"
    )
    if not number:
        raise NothingToDoError(f"no delivery of {issue_id}{_of(email)} is {state}")
    return number


def resolve(room: Newsroom, issue_id: IssueId, *, resend: bool, email: str | None, who: str) -> tuple[int, int]:
    """Take what is unknown for submitted, or queue it again though it may then arrive twice.

    Of the whole issue, or of one address. Returns how many those were and how many stay unknown. Raises
    `NothingToDoError` where there is none.
    """
    after, why = (DeliveryState.QUEUED, "sent again") if resend else (DeliveryState.SUBMITTED, "taken for submitted")
    refuse_forgetful(room, issue_id)
    number, left = room.sends.decide(
        issue_id, DeliveryState.UNKNOWN, after, email=email, now=room.clock.now(), who=who, why=why
    )
    if not number:
        raise NothingToDoError(f"no delivery of {issue_id}{_of(email)} is unknown; {left} of the issue are")
    return number, left


def _of(email: str | None) -> str:
    return f" to {email}" if email else ""
