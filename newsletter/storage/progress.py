"""How far the sending of an issue has come: one row that every claim and every outcome moves on.

It is locked before a claim looks at the audience, so that two senders never take the same recipient; and since it
counts the deliveries in each state, nobody has to count a million rows to show a bar.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import DeliveryState, IssueState
from newsletter.storage.database import insert_or_ignore
from newsletter.storage.tables import delivery, intent, issue, issue_progress

__all__ = [
    "MessageIds",
    "Moved",
    "begin",
    "counted",
    "intended",
    "is_sending",
    "locked",
    "message_ids",
    "move",
    "reached",
    "tally",
]

Moved = Counter[DeliveryState]
"""By how many the deliveries in each state become more or fewer."""


class MessageIds:
    """The Message-IDs of one issue: the same for a subscriber at every try, and not to be guessed."""

    def __init__(self, seed: str, domain: str) -> None:
        self._begun = hashlib.blake2s(key=bytes.fromhex(seed), digest_size=16)
        self._domain = domain

    def of(self, subscriber: int) -> str:
        """`<…@domain>`, 32 hexadecimal digits before the domain."""
        state = self._begun.copy()
        state.update(b"%d" % subscriber)
        return f"<{state.hexdigest()}@{self._domain}>"


def begin(connection: Connection, pk: int, *, seed: str, domain: str, queued: int) -> None:
    """The row of an issue that was just frozen, whether or not it had been before; `seed` is at most 64 hexadecimal
    digits. Its turns go on being counted: the journal has no second first one."""
    values = {"message_seed": seed, "message_domain": domain, "reached": 0} | dict.fromkeys(map(str, DeliveryState), 0)
    connection.execute(insert_or_ignore(connection, issue_progress).values(issue_id=pk, **values))
    values[DeliveryState.QUEUED] = queued
    connection.execute(sa.update(issue_progress).where(issue_progress.c.issue_id == pk).values(values))


def locked(connection: Connection, pk: int) -> tuple[int, bool]:
    """The last subscriber claimed, and whether the issue is still to be sent.

    From here to the end of the transaction nobody else claims, moves or stops anything.
    """
    reached = connection.scalar(_LOCKED, {"pk": pk}) or 0
    # Asked for only now: PostgreSQL would show what was committed before it had waited for the lock.
    return reached, is_sending(connection, pk)


def is_sending(connection: Connection, pk: int) -> bool:
    """Whether the issue is to be sent at this moment."""
    return bool(connection.scalar(_STATE, {"pk": pk}) == IssueState.SENDING)


def reached(connection: Connection, pk: int) -> int:
    """The last subscriber claimed, 0 before the freeze; somebody may claim the next at this moment."""
    return connection.scalar(_REACHED, {"pk": pk}) or 0


def move(connection: Connection, pk: int, moved: Moved, reached: int | None = None, *, turn: bool = False) -> int:
    """Count on, and note how far the audience is claimed; returns the number of the last turn, or 0 before the freeze.

    `turn` makes this one more: a line of the journal must follow.
    """
    by = {f"by_{state}": moved[state] for state in DeliveryState}
    return connection.scalar(_MOVE, {"pk": pk, "to": reached, "turn": int(turn), **by}) or 0


def tally(connection: Connection, pk: int) -> dict[str, int]:
    """How many deliveries stand in each state; states without any are left out."""
    row = connection.execute(sa.select(issue_progress).where(issue_progress.c.issue_id == pk)).mappings().first()
    return {str(state): row[state] for state in DeliveryState if row[state]} if row else {}


def intended(connection: Connection, pk: int) -> set[int]:
    """The deliveries that senders have in hand."""
    held = connection.scalars(sa.select(intent.c.deliveries).where(intent.c.issue_id == pk))
    return {number for window in held for number in json.loads(window)}


def counted(connection: Connection, pk: int) -> dict[str, int]:
    """The same as `tally`, by looking at each row: what the books rest on."""
    query = (
        sa.select(delivery.c.state, sa.func.count().label("number"))
        .where(delivery.c.issue_id == pk)
        .group_by(delivery.c.state)
    )
    counts = Counter({str(row.state): int(row.number) for row in connection.execute(query)})
    if in_hand := len(intended(connection, pk)):
        counts[DeliveryState.QUEUED] -= in_hand
        counts[DeliveryState.SENDING] += in_hand
    return +counts


def message_ids(connection: Connection, pk: int) -> MessageIds | None:
    """What makes the Message-IDs of an issue; None before it is frozen."""
    query = sa.select(issue_progress.c.message_seed, issue_progress.c.message_domain)
    row = connection.execute(query.where(issue_progress.c.issue_id == pk)).first()
    return MessageIds(row.message_seed, row.message_domain) if row else None


# Made once: what SQLAlchemy does to recognise a statement that is made anew costs more than the statement.
_OURS = issue_progress.c.issue_id == sa.bindparam("pk")
_REACHED = sa.select(issue_progress.c.reached).where(_OURS)
_LOCKED = _REACHED.with_for_update()
_STATE = sa.select(issue.c.state).where(issue.c.id == sa.bindparam("pk"))
_MOVE = (
    sa.update(issue_progress)
    .where(_OURS)
    .values(
        {state: issue_progress.c[state] + sa.bindparam(f"by_{state}", type_=sa.Integer) for state in DeliveryState}
        | {
            "reached": sa.func.coalesce(sa.bindparam("to", type_=sa.BigInteger), issue_progress.c.reached),
            "turns": issue_progress.c.turns + sa.bindparam("turn", type_=sa.Integer),
        }
    )
    .returning(issue_progress.c.turns)
)
