"""A database that was restored from an old backup learns from the journal what has been sent since."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import StorageError
from newsletter.model import UNSETTLED, DeliveryState, IssueId, IssueState
from newsletter.storage import progress
from newsletter.storage.database import Database
from newsletter.storage.journal import Journal
from newsletter.storage.keys import is_issue, issue_pk
from newsletter.storage.ledger import is_alive
from newsletter.storage.life import move
from newsletter.storage.recorder import abandoned
from newsletter.storage.tables import delivery, intent, issue, issue_progress
from newsletter.storage.windows import AT_ONCE

__all__ = ["Forgotten", "catch_up", "forgotten", "take_part"]

_PAGE = 500
_WORDS = "the database was restored from a backup; the journal says this"
_TAKEN = "the database was restored from a backup; the journal says that this was in hand, and not what became of it"
_IN_DOUBT = "the database was restored from a backup; nobody wrote down what became of this"
_TOLD = (_WORDS, _TAKEN)
"""What a journal has told of a delivery."""


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
        turns, restored = _known(connection, issue_id)
    return last > turns or (restored is not None and last > restored.turn and journal.desk not in restored.desks)


def take_part(database: Database, journal: Journal, issue_id: IssueId) -> None:
    """This desk, which has nothing to tell of what a restored database forgot, sends the issue from now on."""
    with database.read() as connection:
        _, restored = _known(connection, issue_id)
    if restored is None or journal.desk in restored.desks:
        return
    with database.write() as connection:
        _, restored = _known(connection, issue_id)
        if restored is not None:
            _note(connection, issue_pk(connection, issue_id), restored, journal)


def catch_up(database: Database, journal: Journal, flights: Path, issue_id: IssueId, now: datetime) -> Forgotten:
    """Write down what the journal knows of one issue, which must be in the database, in one transaction.

    What it took in hand without a word of its end is `unknown`. So is whoever comes before the last that was taken and
    is not named, until another desk that shares the database has told what its journal knows; what one desk knows the
    end of no other takes back. An issue whose audience the backup did not hold is `cancelled`, and is never frozen
    again. Raises `StorageError` while a sender of this desk is at work, whose recorders lie in `flights`: one that
    began after the backup is nowhere in the database.
    """
    for flight in flights.glob("*.flight"):
        with abandoned(flight) as dead:
            if not dead:
                raise StorageError("mail of this desk is being sent at this moment; stop its senders first")
    with database.write() as connection:
        pk = issue_pk(connection, issue_id)
        turns, restored = _known(connection, issue_id)
        restored = restored or _Restored(turns, ())
        fates = _fates(journal, issue_id, restored.turn)
        held = progress.message_ids(connection, pk) is not None and _holds(connection, pk, fates)
        if held:
            _refuse_living(database, connection, pk, issue_id)
            gaps = _gaps(connection, pk, fates, now)
            _settle(connection, pk, issue_id, fates, gaps, now)
            fates = dict.fromkeys(gaps, DeliveryState.UNKNOWN) | fates
        else:
            _close(connection, issue_id, fates, now)
            connection.execute(sa.delete(delivery).where(delivery.c.issue_id == pk))
            progress.begin(connection, pk, seed="", domain="", queued=0)
        last = {"turns": max(turns, journal.last_turn(issue_id))}
        connection.execute(sa.update(issue_progress).where(issue_progress.c.issue_id == pk).values(last))
        _note(connection, pk, restored, journal)
    return Forgotten(issue_id, held, Counter(fates.values()))


@dataclass(frozen=True, slots=True)
class _Restored:
    """The last turn that the backup knew of, and the desks whose journals have been read since."""

    turn: int
    desks: tuple[str, ...]


def _note(connection: Connection, pk: int, restored: _Restored, journal: Journal) -> None:
    told = asdict(replace(restored, desks=(*restored.desks, journal.desk)))
    noted = sa.update(issue_progress).where(issue_progress.c.issue_id == pk)
    connection.execute(noted.values(restored=json.dumps(told)))


def _known(connection: Connection, issue_id: IssueId) -> tuple[int, _Restored | None]:
    """How many turns the database knows of, and of its restoration."""
    query = (
        sa.select(issue_progress.c.turns, issue_progress.c.restored)
        .join(issue, issue.c.id == issue_progress.c.issue_id)
        .where(*is_issue(issue_id))
    )
    row = connection.execute(query).first()
    if row is None:
        return 0, None
    return row.turns, _Restored(**json.loads(row.restored)) if row.restored else None


def _fates(journal: Journal, issue_id: IssueId, known: int) -> dict[int, DeliveryState]:
    """What became of each delivery in the turns after those that are known."""
    fates: dict[int, DeliveryState] = {}
    for turn in sorted(journal.turns(issue_id), key=lambda turn: turn.turn):
        if turn.turn > known:
            fates |= {number: state for state, numbers in turn.settled.items() for number in numbers}
            fates |= dict.fromkeys(turn.taken, DeliveryState.UNKNOWN)
    return fates


def _holds(connection: Connection, pk: int, fates: Collection[int]) -> bool:
    """Whether the audience is the one that the journal speaks of, and not one whose freeze was taken back since."""
    ours = delivery.c.issue_id == pk
    numbers = (delivery.c.id.in_(page) for page in _pages(list(fates)))
    there = (connection.scalar(sa.select(sa.func.count()).where(ours, number)) for number in numbers)
    return sum(each or 0 for each in there) == len(fates)


def _refuse_living(database: Database, connection: Connection, pk: int, issue_id: IssueId) -> None:
    owners = connection.scalars(sa.select(intent.c.owner).where(intent.c.issue_id == pk).distinct()).all()
    if any(is_alive(database, owner) for owner in owners):
        raise StorageError(f"{issue_id} is being sent at this moment; stop its senders first")


def _gaps(connection: Connection, pk: int, fates: Collection[int], now: datetime) -> set[int]:
    """Deliveries of which neither the database nor the journal can say that they never left."""
    held = connection.scalars(sa.select(intent.c.deliveries).where(intent.c.issue_id == pk)).all()
    doubts = {number for window in held for number in json.loads(window)}
    connection.execute(sa.delete(intent).where(intent.c.issue_id == pk))
    reached, _ = progress.locked(connection, pk)
    passed_by = sa.select(delivery.c.id, delivery.c.subscriber_id).where(
        delivery.c.issue_id == pk, delivery.c.subscriber_id > reached
    )
    # Of a wave that is still to come nothing can have left.
    rows = passed_by.where(sa.or_(delivery.c.not_before.is_(None), delivery.c.not_before <= now))
    passed: list[int] = []
    for row in connection.execute(rows.order_by(delivery.c.subscriber_id)).all():
        passed.append(row.id)
        if row.id in fates:
            doubts.update(passed)
            passed.clear()
            reached = row.subscriber_id
    turned = sa.update(issue_progress).where(issue_progress.c.issue_id == pk)
    connection.execute(turned.values(reached=reached))
    return doubts - set(fates)


def _settle(
    connection: Connection,
    pk: int,
    issue_id: IssueId,
    fates: Mapping[int, DeliveryState],
    gaps: Collection[int],
    now: datetime,
) -> None:
    _write(connection, dict.fromkeys(gaps, DeliveryState.UNKNOWN), now, _IN_DOUBT, delivery.c.reply.not_in(_TOLD))
    for state in set(fates.values()):
        those = {number: state for number, fate in fates.items() if fate is state}
        unless: sa.ColumnElement[bool]
        if state in UNSETTLED:
            unless = delivery.c.reply.not_in(_TOLD)
        else:
            unless = sa.or_(delivery.c.reply != _WORDS, delivery.c.state.in_(UNSETTLED))
        _write(connection, those, now, _TAKEN if state is DeliveryState.UNKNOWN else _WORDS, unless)
    counts = progress.counted(connection, pk)
    turned = sa.update(issue_progress).where(issue_progress.c.issue_id == pk)
    connection.execute(turned.values({state.value: counts.get(state, 0) for state in DeliveryState}))
    if any(counts.get(state) for state in UNSETTLED):
        # It may have been stopped or given up since the backup, and readers may have left: a person says go on.
        before, why = (IssueState.SENDING, IssueState.SUBMITTED), "the database was restored from a backup"
        move(connection, issue_id, before, IssueState.STOPPED, now=now, who="db reconcile", plan="", why=why)


def _write(
    connection: Connection,
    fates: Mapping[int, DeliveryState],
    now: datetime,
    words: str,
    unless_told: sa.ColumnElement[bool],
) -> None:
    for state in set(fates.values()):
        not_before = AT_ONCE if state in UNSETTLED else None
        values = {"state": state, "not_before": not_before, "code": None, "reply": words, "changed_at": now}
        for numbers in _pages([number for number, fate in fates.items() if fate is state]):
            found = sa.update(delivery).where(delivery.c.id.in_(numbers), unless_told)
            connection.execute(found.values(values))


def _close(connection: Connection, issue_id: IssueId, fates: Mapping[int, DeliveryState], now: datetime) -> None:
    counts = ", ".join(f"{number:,} {state}" for state, number in sorted(Counter(fates.values()).items()))
    why = f"sent before the database was restored from a backup, which does not hold its audience: {counts}"
    values: dict[str, Any] = {"candidates": 0, "excluded": {}, "plan": ""}
    move(connection, issue_id, tuple(IssueState), IssueState.CANCELLED, now=now, who="db reconcile", why=why, **values)


def _pages(numbers: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), _PAGE):
        yield numbers[start : start + _PAGE]
