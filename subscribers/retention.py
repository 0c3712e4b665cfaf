"""What this house need not keep for good: requests, bounce reports, sign-ups that nobody ever confirmed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Engine, Table, delete, exists, func, select

from subscribers.bounces.model import Consequence
from subscribers.database import writing
from subscribers.model import Status
from subscribers.tables import address_change, bounce, request, subscriber, subscription

__all__ = ["prune_bounces", "prune_pending", "prune_requests"]

_AT_ONCE = 500
"""Rows of one transaction: whoever unsubscribes meanwhile waits for no more than that."""


def prune_requests(engine: Engine, before: datetime, *, dry_run: bool = False) -> int:
    """What was asked for by forms before then, answered or not; the evidence of consent is in people's histories."""
    old = _prune(engine, request, request.c.asked_at < before, dry_run=dry_run)
    ended = address_change.c.asked_at < before
    return old + _prune(engine, address_change, ended, dry_run=dry_run)


def prune_bounces(engine: Engine, before: datetime, *, dry_run: bool = False) -> int:
    """What came back before then, but for what still waits for somebody to look at it."""
    old = (bounce.c.at < before) & (bounce.c.fate != Consequence.HELD)
    return _prune(engine, bounce, old, dry_run=dry_run)


def prune_pending(engine: Engine, before: datetime, *, dry_run: bool = False) -> int:
    """People who came before then and never confirmed anything: they were never mailed an issue."""
    other = (subscription.c.subscriber_id == subscriber.c.id) & (subscription.c.status != Status.PENDING)
    old = (subscriber.c.created_at < before) & ~exists(select(subscription.c.status).where(other))
    lately = (subscription.c.subscriber_id == subscriber.c.id) & (subscription.c.changed_at >= before)
    return _prune(engine, subscriber, old & ~exists(select(subscription.c.status).where(lately)), dry_run=dry_run)


def _prune(engine: Engine, table: Table, old: ColumnElement[bool], *, dry_run: bool) -> int:
    if dry_run:
        with engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(old)) or 0
    number = 0
    while True:
        with engine.connect() as connection:  # looking for them may take long, and holds up nobody
            rows = list(connection.scalars(select(table.c.id).where(old).limit(_AT_ONCE)))
        if rows:
            with writing(engine) as connection:
                # Asked again, once nobody else is at these rows: what changed since it was looked at stays.
                these = select(table.c.id).where(table.c.id.in_(rows)).order_by(table.c.id)
                connection.execute(these.with_for_update()).all()
                number += connection.execute(delete(table).where(table.c.id.in_(rows), old)).rowcount
        if len(rows) < _AT_ONCE:
            return number
