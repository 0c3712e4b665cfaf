"""Deliveries: the frozen audience of an issue and what is known of each message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import UNSETTLED, DeliveryState, IssueId, IssueState
from newsletter.storage.database import Database
from newsletter.storage.issues import delivery_counts, move
from newsletter.storage.keys import issue_pk
from newsletter.storage.tables import delivery, issue

__all__ = ["Deliveries", "DeliveryRow", "Frozen"]

CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """One candidate at the moment of the freeze: a recipient with its edition, or excluded for a reason."""

    subscriber: int
    email: str = ""
    name: str = ""
    edition: str = ""
    message_id: str = ""
    excluded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """What is known of one message, with the mail server's own words."""

    email: str
    edition: str
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

    def freeze(
        self, connection: Connection, issue_id: IssueId, revision: int, candidates: Iterable[Frozen], now: datetime
    ) -> bool:
        """Write down who gets the approved revision, within the caller's transaction; False when it was frozen
        before, or is not the approved one any more.

        From the commit on the books of the issue are kept: candidates = excluded + deliveries.
        """
        begun = move(
            connection,
            issue_id,
            (IssueState.APPROVED,),
            IssueState.SENDING,
            now=now,
            who="sender",
            if_revision=revision,
            frozen_at=now,
        )
        if not begun:
            return False
        pk = issue_pk(connection, issue_id)
        excluded: dict[str, int] = {}
        rows: list[dict[str, object]] = []
        total = 0
        for candidate in candidates:
            total += 1
            if candidate.excluded is not None:
                excluded[candidate.excluded] = excluded.get(candidate.excluded, 0) + 1
                continue
            rows.append(
                {
                    "issue_id": pk,
                    "subscriber_id": candidate.subscriber,
                    "email": candidate.email,
                    "name": candidate.name,
                    "edition": candidate.edition,
                    "message_id": candidate.message_id,
                    "state": DeliveryState.QUEUED,
                    "changed_at": now,
                }
            )
            if len(rows) >= CHUNK:
                connection.execute(sa.insert(delivery), rows)
                rows = []
        if rows:
            connection.execute(sa.insert(delivery), rows)
        connection.execute(sa.update(issue).where(issue.c.id == pk).values(candidates=total, excluded=excluded))
        return True

    def rows(self, issue_id: IssueId, state: DeliveryState | None = None) -> Iterator[DeliveryRow]:
        """What is known of each message of the issue, in the audience's order."""
        with self._database.read() as connection:
            query = (
                sa.select(delivery).where(delivery.c.issue_id == issue_pk(connection, issue_id)).order_by(delivery.c.id)
            )
            if state is not None:
                query = query.where(delivery.c.state == state)
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield DeliveryRow(
                    email=row.email,
                    edition=row.edition,
                    state=DeliveryState(row.state),
                    attempts=row.attempts,
                    code=row.code,
                    reply=row.reply,
                    message_id=row.message_id,
                    changed_at=row.changed_at,
                )

    def counts(self, issue_id: IssueId) -> Mapping[str, int]:
        """How many deliveries of the issue stand in each state."""
        with self._database.read() as connection:
            return delivery_counts(connection, issue_pk(connection, issue_id))

    def anything_due(self, issue_id: IssueId, now: datetime) -> bool:
        """Whether a delivery of the issue is queued, in flight, or deferred until before `now`."""
        due = sa.or_(
            delivery.c.state.in_([DeliveryState.QUEUED, DeliveryState.SENDING]),
            sa.and_(delivery.c.state == DeliveryState.DEFERRED, delivery.c.not_before <= now),
        )
        with self._database.read() as connection:
            mine = delivery.c.issue_id == issue_pk(connection, issue_id)
            return connection.scalar(sa.select(delivery.c.id).where(mine, due).limit(1)) is not None

    def addresses_left(self, issue_id: IssueId) -> Iterator[str]:
        """Every address that a send of the issue could still write to."""
        with self._database.read() as connection:
            query = sa.select(delivery.c.email).where(
                delivery.c.issue_id == issue_pk(connection, issue_id), delivery.c.state.in_(UNSETTLED)
            )
            yield from connection.execution_options(yield_per=1000).scalars(query)

    def retry_now(self, issue_id: IssueId, now: datetime) -> int:
        """Make every deferred delivery of the issue due; returns how many."""
        with self._database.write() as connection:
            return connection.execute(
                sa.update(delivery)
                .where(
                    delivery.c.issue_id == issue_pk(connection, issue_id),
                    delivery.c.state == DeliveryState.DEFERRED,
                )
                .values(not_before=now)
            ).rowcount

    def requeue_unknown(self, issue_id: IssueId, now: datetime) -> int:
        """Queue every delivery again whose fate nobody knows, though it may then arrive twice; returns how many."""
        with self._database.write() as connection:
            return connection.execute(
                sa.update(delivery)
                .where(delivery.c.issue_id == issue_pk(connection, issue_id), delivery.c.state == DeliveryState.UNKNOWN)
                .values(state=DeliveryState.QUEUED, changed_at=now)
            ).rowcount

    def expire(self, issue_id: IssueId, now: datetime) -> int:
        """Give up on every delivery of the issue that is still deferred; returns how many."""
        with self._database.write() as connection:
            return connection.execute(
                sa.update(delivery)
                .where(
                    delivery.c.issue_id == issue_pk(connection, issue_id),
                    delivery.c.state == DeliveryState.DEFERRED,
                )
                .values(state=DeliveryState.EXPIRED, changed_at=now)
            ).rowcount
