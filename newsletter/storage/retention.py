"""What the newsletter need not keep for good, taken away in small transactions: whoever sends meanwhile waits for none.

Nothing of an issue goes before that is settled and its books balance, and they balance afterwards: deliveries lose what
names a reader, and stay as what they count.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import UNSETTLED, IssueState
from newsletter.storage import progress
from newsletter.storage.database import Database
from newsletter.storage.tables import (
    account_mail,
    audit,
    delivery,
    desk_mail,
    issue,
    login_link,
    session,
    webhook_delivery,
    webhook_event,
)

__all__ = ["prune_audit", "prune_deliveries", "prune_desk_mails", "prune_sessions", "prune_webhook_events"]

_AT_ONCE = 2_000
"""Rows of one transaction: some hundredths of a second."""

_NAMED = sa.or_(delivery.c.email != "", delivery.c.name != "", delivery.c.reply != "")

_ENDED = (IssueState.SUBMITTED, IssueState.CANCELLED)


def prune_deliveries(database: Database, before: datetime, now: datetime, *, dry_run: bool = False) -> int:
    """Take addresses, names and servers' words out of the deliveries of issues settled before then; how many."""
    number = 0
    for pk in _settled(database, before):
        if dry_run:
            with database.read() as connection:
                named = sa.select(sa.func.count()).where(delivery.c.issue_id == pk, _NAMED)
                number += connection.scalar(named) or 0
        else:
            number += _strip(database, pk, now)
    return number


def _strip(database: Database, pk: int, now: datetime) -> int:
    """Have the deliveries of an issue name nobody, and note when that was done: it is not looked through again."""
    number = after = 0
    query = sa.select(delivery.c.id, delivery.c.subscriber_id).where(delivery.c.issue_id == pk)
    query = query.order_by(delivery.c.subscriber_id).limit(_AT_ONCE)
    while True:
        with database.write() as connection:
            if not _is_closed(connection, pk):
                return number
            rows = connection.execute(query.where(delivery.c.subscriber_id > after)).all()
            those = sa.update(delivery).where(delivery.c.id.in_([row.id for row in rows]), _NAMED)
            number += connection.execute(those.values(email="", name="", reply="")).rowcount
            if len(rows) < _AT_ONCE:
                connection.execute(sa.update(issue).where(issue.c.id == pk).values(pruned_at=now))
                return number
        after = rows[-1].subscriber_id


def prune_desk_mails(database: Database, before: datetime, *, dry_run: bool = False) -> int:
    """Drop what the desk's people were mailed, of issues and of their accounts, before then."""
    settled = sa.select(issue.c.id).where(issue.c.settled_at < before)
    notices = desk_mail.c.settled & (desk_mail.c.at < before) & desk_mail.c.issue_id.in_(settled)
    mails = account_mail.c.settled & (account_mail.c.at < before)
    told = _prune(database, desk_mail, notices, dry_run=dry_run)
    return told + _prune(database, account_mail, mails, dry_run=dry_run)


def prune_audit(database: Database, before: datetime, *, dry_run: bool = False) -> int:
    """Drop lines of the audit log from before then; the database refuses for any that is not a year old."""
    return _prune(database, audit, audit.c.at < before, dry_run=dry_run)


def prune_sessions(database: Database, before: datetime, *, dry_run: bool = False) -> int:
    """Drop sessions and links of the desk's people that ended before then."""
    ended = _prune(database, session, session.c.expires_at < before, dry_run=dry_run)
    return ended + _prune(database, login_link, login_link.c.expires_at < before, dry_run=dry_run)


def prune_webhook_events(database: Database, before: datetime, *, dry_run: bool = False) -> int:
    """Drop what programs elsewhere were told of before then; what waits for one of them stays."""
    waits = sa.exists().where(
        webhook_delivery.c.event_id == webhook_event.c.id, webhook_delivery.c.next_at.is_not(None)
    )
    return _prune(database, webhook_event, (webhook_event.c.at < before) & ~waits, dry_run=dry_run)


def _settled(database: Database, before: datetime) -> Iterator[int]:
    """Issues that were settled before then and whose books balance, by number."""
    query = sa.select(issue.c.id, issue.c.candidates, issue.c.excluded).where(
        issue.c.settled_at < before, issue.c.state.in_(_ENDED), issue.c.pruned_at.is_(None)
    )
    with database.read() as connection:
        rows = connection.execute(query.order_by(issue.c.id)).all()
    for row in rows:
        with database.read() as connection:
            counts = progress.counted(connection, row.id)
        balanced = row.candidates == sum(row.excluded.values()) + sum(counts.values())
        if counts and balanced and not any(counts.get(state) for state in UNSETTLED):
            yield row.id


def _is_closed(connection: Connection, pk: int) -> bool:
    """Whether the issue is settled still: what is queued again is mailed again."""
    progress.locked(connection, pk)
    state = connection.scalar(sa.select(issue.c.state).where(issue.c.id == pk))
    return IssueState(str(state)) in _ENDED


def _prune(database: Database, table: sa.Table, old: sa.ColumnElement[bool], *, dry_run: bool) -> int:
    if dry_run:
        with database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table).where(old)) or 0
    key = list(table.primary_key.columns)
    number = 0
    while True:
        with database.read() as connection:  # looking for them may take long, and holds up nobody
            rows = connection.execute(sa.select(*key).where(old).limit(_AT_ONCE // 4)).all()
        if rows:
            with database.write() as connection:
                those = sa.tuple_(*key).in_([tuple(row) for row in rows])
                number += connection.execute(sa.delete(table).where(those, old)).rowcount
        if len(rows) < _AT_ONCE // 4:
            return number
