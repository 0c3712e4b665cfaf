"""What a rehearsal asks of databases: rows copied into one that is thrown away, and what came later forgotten there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa

from newsletter.storage.database import Database
from newsletter.storage.story_rows import FREE
from newsletter.storage.tables import (
    METADATA,
    account_mail,
    api_token,
    audit,
    click_tally,
    correction,
    issue,
    login_link,
    reader_report,
    recovery_code,
    session,
    story,
    webhook,
    webhook_delivery,
    webhook_event,
)

__all__ = ["TABLES", "copy_rows", "forget_issues_from", "span_of_stories"]

_ALIVE_ONLY = (
    *(account_mail, api_token, audit, click_tally, login_link, reader_report, recovery_code, session),
    *(webhook, webhook_delivery, webhook_event),
)
TABLES = tuple(table for table in METADATA.sorted_tables if table not in _ALIVE_ONLY)
"""What a copy is made of; nobody logs in to one, and no program is told of it."""

_AT_ONCE = 1000


def copy_rows(source: Database, target: Database, tables: Iterable[sa.Table]) -> None:
    """Copy every row of the tables, in their order, as they stood at one moment of `source`; `target` has the schema
    and no rows. No more than a thousand rows are in memory."""
    with source.read() as reading, target.write() as writing:
        for table in tables:
            rows = reading.execution_options(yield_per=_AT_ONCE).execute(sa.select(table))
            for some in rows.mappings().partitions():
                writing.execute(sa.insert(table), [dict(row) for row in some])


def forget_issues_from(database: Database, first: date) -> None:
    """Forget every issue dated `first` or later, and all that hangs on it."""
    later = sa.select(issue.c.id).where(issue.c.local_date >= first)
    with database.write() as connection:
        for column in (correction.c.mailed_in, correction.c.told_in):
            connection.execute(sa.update(correction).where(column.in_(later)).values({column: None}))
        connection.execute(sa.delete(issue).where(issue.c.local_date >= first))


def span_of_stories(database: Database) -> tuple[datetime, datetime] | None:
    """When the first and the last of the stories that could stand in an issue became available; None without any."""
    query = sa.select(sa.func.min(story.c.available_at), sa.func.max(story.c.available_at))
    with database.read() as connection:
        first, last = connection.execute(query.where(FREE, story.c.country.is_not(None))).one()
    return (first, last) if first else None
