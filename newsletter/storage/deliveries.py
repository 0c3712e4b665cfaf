"""Deliveries: the frozen audience of an issue and what is known of each message."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import CLAIMABLE, UNSETTLED, DeliveryState, IssueId
from newsletter.storage import progress, windows
from newsletter.storage.database import Database
from newsletter.storage.keys import among, issue_pk
from newsletter.storage.progress import intended, message_ids
from newsletter.storage.tables import delivery, issue, issue_progress

__all__ = ["Deliveries", "DeliveryRow", "Refusals", "Wave"]

_AT_ONCE = 500
"""Numbers in one statement; databases limit how many it may have."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Readers of an issue whose own hour is still to come: at which instant, and how many."""

    at: datetime
    readers: int

    def as_json(self) -> dict[str, object]:
        """One wave of `newsletter issue status --json`."""
        return {"at": self.at.isoformat(), "readers": self.readers}


@dataclass(frozen=True, slots=True)
class Refusals:
    """So many messages that came to the same bad end, in the mail server's own words; those may name a reader."""

    state: DeliveryState
    code: int | None
    reply: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """What is known of one message, with the mail server's own words."""

    email: str
    edition: str
    revision: int
    state: DeliveryState
    attempts: int
    code: int | None
    reply: str
    message_id: str
    changed_at: datetime

    def as_json(self) -> dict[str, object]:
        """One row of `newsletter issue recipients --json`."""
        return {
            "email": self.email,
            "edition": self.edition,
            "revision": self.revision,
            "state": str(self.state),
            "attempts": self.attempts,
            "code": self.code,
            "reply": self.reply,
            "message_id": self.message_id,
            "at": self.changed_at.isoformat(),
        }


class Deliveries:
    """The deliveries of every issue, unique on (issue, subscriber)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(
        self, issue_id: IssueId, state: DeliveryState | None = None, *, address: str = ""
    ) -> Iterator[DeliveryRow]:
        """What is known of each message of the issue, in the audience's order; `address` is a part of the recipient's,
        in small letters."""
        with self._database.read() as connection:
            pk = issue_pk(connection, issue_id)
            query = sa.select(delivery).where(delivery.c.issue_id == pk).order_by(delivery.c.subscriber_id)
            if address:
                query = query.where(sa.func.lower(delivery.c.email).contains(address, autoescape=True))
            if state is not None:
                kept = DeliveryState.QUEUED if state is DeliveryState.SENDING else state
                query = query.where(delivery.c.state == kept)
            ids = message_ids(connection, pk)
            if ids is None:
                return
            in_hand = intended(connection, pk)
            for row in connection.execution_options(yield_per=1000).execute(query):
                stands = DeliveryState.SENDING if row.id in in_hand else DeliveryState(row.state)
                if state is None or stands is state:
                    yield _row(row, stands, ids)

    def of_subscriber(self, issue_id: IssueId, subscriber: int) -> DeliveryRow | None:
        """What is known of the message of that subscriber; None for who was not among the frozen audience."""
        with self._database.read() as connection:
            pk = issue_pk(connection, issue_id)
            ids = message_ids(connection, pk)
            mine = delivery.c.issue_id == pk, delivery.c.subscriber_id == subscriber
            row = connection.execute(sa.select(delivery).where(*mine)).one_or_none()
            if row is None or ids is None:
                return None
            return _row(row, DeliveryState.SENDING if row.id in intended(connection, pk) else row.state, ids)

    def counts(self, issue_id: IssueId) -> Mapping[str, int]:
        """How many deliveries of the issue stand in each state; states without any are left out."""
        with self._database.read() as connection:
            return progress.tally(connection, issue_pk(connection, issue_id))

    def totals(self, those: Collection[IssueId]) -> Mapping[IssueId, int]:
        """How many deliveries each of these issues has; none of those that were never frozen."""
        total = sum((issue_progress.c[str(state)] for state in DeliveryState), start=sa.literal(0)).label("total")
        query = (
            sa.select(issue.c.newsletter, issue.c.local_date, issue.c.number, total)
            .join(issue_progress, issue_progress.c.issue_id == issue.c.id)
            .where(among(those))
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {IssueId(row.newsletter, row.local_date, row.number): row.total for row in rows}

    def anything_due(self, issue_id: IssueId, now: datetime) -> bool:
        """Whether a delivery of the issue is in flight, or could be claimed at `now`."""
        with self._database.read() as connection:
            pk = issue_pk(connection, issue_id)
            if progress.tally(connection, pk).get(DeliveryState.SENDING):
                return True
            return windows.ready(connection, pk, progress.reached(connection, pk), now, 1) > 0

    def next_due(self, issue_id: IssueId) -> datetime | None:
        """The first instant that a delivery of the issue waits for, of a wave or of a next try, or None."""
        with self._database.read() as connection:
            return windows.next_due(connection, issue_pk(connection, issue_id))

    def waves(self, issue_id: IssueId, now: datetime) -> list[Wave]:
        """The waves of the issue that are still to come, the next first."""
        with self._database.read() as connection:
            waits = delivery.c.not_before > now, delivery.c.not_before < windows.IN_HAND
            query = sa.select(delivery.c.not_before, sa.func.count()).where(
                delivery.c.issue_id == issue_pk(connection, issue_id), delivery.c.state == DeliveryState.QUEUED, *waits
            )
            rows = connection.execute(query.group_by(delivery.c.not_before).order_by(delivery.c.not_before))
            return [Wave(at, readers) for at, readers in rows]

    def addresses_left(self, issue_id: IssueId) -> Iterator[str]:
        """Every address that a send of the issue could still write to."""
        with self._database.read() as connection:
            query = sa.select(delivery.c.email).where(
                delivery.c.issue_id == issue_pk(connection, issue_id),
                delivery.c.state.in_(UNSETTLED),
                delivery.c.email != "",  # erased since: nothing is written to them
            )
            yield from connection.execution_options(yield_per=1000).scalars(query)

    def editions(self, connection: Connection, issue_id: IssueId, *, left: bool = False) -> Mapping[str, int]:
        """How many deliveries of each edition (by key) there are, or are `left` to be sent, within the caller's
        transaction."""
        query = sa.select(delivery.c.edition, sa.func.count().label("number")).group_by(delivery.c.edition)
        query = query.where(delivery.c.issue_id == issue_pk(connection, issue_id))
        if left:
            query = query.where(delivery.c.state.in_(CLAIMABLE))
        return {row.edition: row.number for row in connection.execute(query)}

    def handed(self, issue_id: IssueId) -> Mapping[str, int]:
        """How many messages of each edition (by key) are with the mail server: a walk over the issue's deliveries."""
        query = sa.select(delivery.c.edition, sa.func.count().label("number")).group_by(delivery.c.edition)
        with self._database.read() as connection:
            mine = delivery.c.issue_id == issue_pk(connection, issue_id), delivery.c.state == DeliveryState.SUBMITTED
            return {row.edition: row.number for row in connection.execute(query.where(*mine))}

    def editions_of(self, issue_id: IssueId, subscribers: Collection[int]) -> Mapping[int, str]:
        """Which edition (by key) each of those subscribers got, or is to get; the others are left out."""
        query = sa.select(delivery.c.subscriber_id, delivery.c.edition)
        numbers, found = sorted(subscribers), dict[int, str]()
        with self._database.read() as connection:
            mine = query.where(delivery.c.issue_id == issue_pk(connection, issue_id))
            for first in range(0, len(numbers), _AT_ONCE):
                some = mine.where(delivery.c.subscriber_id.in_(numbers[first : first + _AT_ONCE]))
                found |= {row.subscriber_id: row.edition for row in connection.execute(some)}
        return found

    def refusals(self, issue_id: IssueId, states: Collection[DeliveryState], most: int) -> Sequence[Refusals]:
        """What the mail server said to messages in those states, the most frequent words first, up to `most`."""
        number = sa.func.count().label("number")
        said = delivery.c.state, delivery.c.code, delivery.c.reply
        with self._database.read() as connection:
            mine = delivery.c.issue_id == issue_pk(connection, issue_id), delivery.c.state.in_(list(states))
            query = sa.select(*said, number).where(*mine).group_by(*said).order_by(number.desc(), *said).limit(most)
            return [
                Refusals(DeliveryState(row.state), row.code, row.reply, row.number) for row in connection.execute(query)
            ]

    def revisions(self, issue_id: IssueId) -> Mapping[int, int]:
        """How many deliveries got each revision, or are to get it."""
        query = sa.select(delivery.c.revision, sa.func.count().label("number")).group_by(delivery.c.revision)
        with self._database.read() as connection:
            pk = issue_pk(connection, issue_id)
            return {row.revision: row.number for row in connection.execute(query.where(delivery.c.issue_id == pk))}


def _row(row: sa.Row[Any], state: str, ids: progress.MessageIds) -> DeliveryRow:
    return DeliveryRow(
        email=row.email,
        edition=row.edition,
        revision=row.revision,
        state=DeliveryState(state),
        attempts=row.attempts,
        code=row.code,
        reply=row.reply,
        message_id=row.message_id or ids.of(row.subscriber_id),
        changed_at=row.changed_at,
    )
