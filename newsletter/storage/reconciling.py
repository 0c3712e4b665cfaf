"""A database that was restored from an old backup learns from the journal what has been sent since."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import NotFoundError, StorageError
from newsletter.model import UNSETTLED, DeliveryState, IssueId, IssueState
from newsletter.storage import progress
from newsletter.storage.database import Database
from newsletter.storage.issues import move
from newsletter.storage.journal import Journal
from newsletter.storage.keys import issue_pk
from newsletter.storage.ledger import is_alive
from newsletter.storage.tables import delivery, intent, issue_progress

__all__ = ["Forgotten", "catch_up", "forgotten"]

_PAGE = 500
_WORDS = "the database was restored from a backup; the journal says this"
_IN_DOUBT = "the database was restored from a backup; nobody wrote down what became of this"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a restored database did not know of an issue; `held` tells whether it had the frozen audience at all."""

    issue: IssueId
    held: bool
    counts: Mapping[DeliveryState, int]
    """How many deliveries are in each state by the journal."""


def forgotten(database: Database, journal: Journal, issue_id: IssueId) -> bool:
    """Whether the journal has turns of the issue that the database does not know."""
    last = journal.last_turn(issue_id)
    with database.read() as connection:
        return last > _turns(connection, issue_id)


def catch_up(database: Database, journal: Journal, issue_id: IssueId, now: datetime) -> Forgotten:
    """Write down what the journal knows of one issue, which must be in the database, in one transaction.

    What it took in hand without a word of its end is `unknown`. So is whoever comes before the last that was taken and
    is not named: another host may have had them. An issue whose audience the backup did not hold is `cancelled`, and is
    never frozen again. Raises `StorageError` while a sender of the issue is at work.
    """
    with database.write() as connection:
        pk = issue_pk(connection, issue_id)
        fates = _fates(journal, issue_id, _turns(connection, issue_id))
        held = progress.message_ids(connection, pk) is not None
        if held:
            _refuse_living(database, connection, pk, issue_id)
            fates = _doubts(connection, pk, fates) | fates
            _settle(connection, pk, issue_id, fates, now)
        else:
            _close(connection, issue_id, fates, now)
            connection.execute(sa.insert(issue_progress).values(issue_id=pk, message_seed="", message_domain=""))
        turned = sa.update(issue_progress).where(issue_progress.c.issue_id == pk)
        connection.execute(turned.values(turns=journal.last_turn(issue_id)))
    return Forgotten(issue_id, held, Counter(fates.values()))


def _turns(connection: Connection, issue_id: IssueId) -> int:
    try:
        return progress.turns(connection, issue_pk(connection, issue_id))
    except NotFoundError:
        return 0


def _fates(journal: Journal, issue_id: IssueId, known: int) -> dict[int, DeliveryState]:
    """What became of each delivery in the turns after those that are known."""
    fates: dict[int, DeliveryState] = {}
    for turn in sorted(journal.turns(issue_id), key=lambda turn: turn.turn):
        if turn.turn > known:
            fates |= {number: state for state, numbers in turn.settled.items() for number in numbers}
            fates |= dict.fromkeys(turn.taken, DeliveryState.UNKNOWN)
    return fates


def _refuse_living(database: Database, connection: Connection, pk: int, issue_id: IssueId) -> None:
    owners = connection.scalars(sa.select(intent.c.owner).where(intent.c.issue_id == pk).distinct()).all()
    if any(is_alive(database, owner) for owner in owners):
        raise StorageError(f"{issue_id} is being sent at this moment; stop its senders first")


def _doubts(connection: Connection, pk: int, fates: Collection[int]) -> dict[int, DeliveryState]:
    """Deliveries of which neither the database nor the journal can say that they never left."""
    held = connection.scalars(sa.select(intent.c.deliveries).where(intent.c.issue_id == pk)).all()
    doubts = {number for window in held for number in json.loads(window)}
    connection.execute(sa.delete(intent).where(intent.c.issue_id == pk))
    reached, _ = progress.locked(connection, pk)
    rows = sa.select(delivery.c.id, delivery.c.subscriber_id).where(
        delivery.c.issue_id == pk, delivery.c.subscriber_id > reached
    )
    passed: list[int] = []
    for row in connection.execute(rows.order_by(delivery.c.subscriber_id)).all():
        passed.append(row.id)
        if row.id in fates:
            doubts.update(passed)
            passed.clear()
            reached = row.subscriber_id
    turned = sa.update(issue_progress).where(issue_progress.c.issue_id == pk)
    connection.execute(turned.values(reached=reached))
    return dict.fromkeys(doubts, DeliveryState.UNKNOWN)


def _settle(
    connection: Connection, pk: int, issue_id: IssueId, fates: Mapping[int, DeliveryState], now: datetime
) -> None:
    for state in set(fates.values()):
        unsettled = state in UNSETTLED
        values = {
            "state": state,
            "not_before": now if unsettled else None,
            "code": None,
            "reply": _IN_DOUBT if state is DeliveryState.UNKNOWN else _WORDS,
            "changed_at": now,
        }
        for numbers in _pages([number for number, fate in fates.items() if fate is state]):
            connection.execute(sa.update(delivery).where(delivery.c.id.in_(numbers)).values(values))
    counts = progress.counted(connection, pk)
    turned = sa.update(issue_progress).where(issue_progress.c.issue_id == pk)
    connection.execute(turned.values({state.value: counts.get(state, 0) for state in DeliveryState}))
    if any(counts.get(state) for state in UNSETTLED):
        # It may have been stopped or given up since the backup, and readers may have left: a person says go on.
        before, why = (IssueState.SENDING, IssueState.SUBMITTED), "the database was restored from a backup"
        move(connection, issue_id, before, IssueState.STOPPED, now=now, who="db reconcile", plan="", why=why)


def _close(connection: Connection, issue_id: IssueId, fates: Mapping[int, DeliveryState], now: datetime) -> None:
    counts = ", ".join(f"{number:,} {state}" for state, number in sorted(Counter(fates.values()).items()))
    why = f"sent before the database was restored from a backup, which does not hold its audience: {counts}"
    move(connection, issue_id, tuple(IssueState), IssueState.CANCELLED, now=now, who="db reconcile", plan="", why=why)


def _pages(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _PAGE):
        yield numbers[start : start + _PAGE]
