"""What is asked of deliveries once something of them comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.model import REACHED, DeliveryState, IssueId
from newsletter.storage.database import Database
from newsletter.storage.keys import is_issue
from newsletter.storage.tables import delivery, issue, issue_progress

__all__ = ["Trace", "Traces"]

_LEFT = delivery.c.state.in_(REACHED)


@dataclass(frozen=True, slots=True)
class Trace:
    """One message that was handed over, or is about to be: of which issue, to whom, when it last changed."""

    delivery: int
    issue: IssueId
    subscriber: int
    email: str
    at: datetime


class Traces:
    """The deliveries of every issue, found by what bounces say of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, number: int) -> Trace | None:
        """The delivery of that number."""
        query = (
            sa.select(delivery, issue.c.newsletter, issue.c.local_date, issue.c.number)
            .join(issue, issue.c.id == delivery.c.issue_id)
            .where(delivery.c.id == number)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        issue_id = IssueId(row.newsletter, row.local_date, row.number)
        return Trace(row.id, issue_id, row.subscriber_id, row.email, row.changed_at)

    def latest(self, subscriber: int, newsletter: str) -> int | None:
        """The number of the last message of a newsletter that was handed over for a subscriber."""
        query = (
            sa.select(delivery.c.id)
            .join(issue, issue.c.id == delivery.c.issue_id)
            .where(issue.c.newsletter == newsletter, delivery.c.subscriber_id == subscriber, _LEFT)
            .order_by(issue.c.frozen_at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def mailed(self, subscriber: int, since: datetime) -> Sequence[tuple[int, datetime]]:
        """Number and instant of every message handed over for a subscriber, of issues frozen `since` then, in order.

        Asked issue by issue: deliveries have an index by issue and subscriber, and none by subscriber.
        """
        query = (
            sa.select(delivery.c.id, delivery.c.changed_at)
            .join(issue, issue.c.id == delivery.c.issue_id)
            .where(issue.c.frozen_at >= since, delivery.c.subscriber_id == subscriber, _LEFT)
            .order_by(delivery.c.changed_at, delivery.c.id)
        )
        with self._database.read() as connection:
            return [(row.id, row.changed_at) for row in connection.execute(query)]

    def handed_to(self, issue_id: IssueId, provider: str) -> int:
        """How many messages of the issue were handed over for addresses of that domain, in small letters."""
        query = (
            sa.select(sa.func.count())
            .select_from(delivery.join(issue, issue.c.id == delivery.c.issue_id))
            .where(
                *is_issue(issue_id),
                _LEFT,
                sa.func.lower(delivery.c.email).endswith(f"@{provider}", autoescape=True),
            )
        )
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def submitted(self, newsletter: str, since: datetime) -> tuple[Sequence[IssueId], int]:
        """The newsletter's issues frozen `since` then, and how many messages of them were handed over."""
        submitted = issue_progress.c[DeliveryState.SUBMITTED]
        query = (
            sa.select(issue.c.newsletter, issue.c.local_date, issue.c.number, submitted)
            .join(issue_progress, issue_progress.c.issue_id == issue.c.id)
            .where(issue.c.newsletter == newsletter, issue.c.frozen_at >= since)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [IssueId(row.newsletter, row.local_date, row.number) for row in rows], sum(row[3] for row in rows)
