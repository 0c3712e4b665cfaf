"""Taking one reader out of what the newsletter holds. The deliveries stay, by number: the books go on balancing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import UNSETTLED, IssueId
from newsletter.storage.database import BUSY_SECONDS, Database
from newsletter.storage.mentions import Mentions
from newsletter.storage.tables import METADATA, delivery, issue, webhook, webhook_delivery, webhook_event

__all__ = [
    "KEPT_AS_IT_IS",
    "forget_reader",
    "move_reader",
    "reader_deliveries",
    "reader_tellings",
    "sweep_traces",
    "wipe",
]

KEPT_AS_IT_IS = {
    "account": "the desk's own people, who may be readers too",
    "audit": "append-only; no reader's address stands in it",
    "delivery": "by the reader's number, not by looking at each",
    "click_link": "addresses of stories, to which mails that left must lead on",
    "click_tally": "figures",
    "webhook": "the desk's own addresses of programs, and their names",
    "webhook_event": "by number; no address stands in what happened",
    **dict.fromkeys(
        ("story", "story_revision", "draft", "edition", "issue_revision", "issue.snapshot", "source_state"),
        "what was published, or is to be",
    ),
    "applied_plan": "schedule.yaml, by its digest",
    **dict.fromkeys(
        (
            "who",
            "address",
            "edited_by",
            "approved_by",
            "first_approved_by",
            "made_by",
            "ended_by",
            "taken_by",
            "closed_by",
        ),
        "columns that name the desk's own people",
    ),
}
"""Tables and columns that are not looked through for the words of a reader's address, and why."""

_PAGE = 200
_PATIENCE = 200
"""Milliseconds for which those who write may be held up."""


def forget_reader(connection: Connection, subscriber: int, forms: Collection[str]) -> None:
    """Take address, name and the mail server's words out of each delivery of a reader, and the address out of all else.

    `forms` are the ways in which it may be written. What is still queued finds no reader, and is cancelled by whoever
    sends it.
    """
    # Asked issue by issue: deliveries have an index by issue and subscriber, and none by subscriber.
    frozen = sa.select(issue.c.id).where(issue.c.frozen_at.is_not(None))
    theirs = delivery.c.issue_id.in_(frozen), delivery.c.subscriber_id == subscriber
    connection.execute(sa.update(delivery).where(*theirs).values(email="", name="", reply=""))
    # A program may answer with the address that it was told.
    told = sa.select(webhook_event.c.id).where(webhook_event.c.subscriber_id == subscriber)
    connection.execute(sa.update(webhook_delivery).where(webhook_delivery.c.event_id.in_(told)).values(reply=""))
    wipe(connection, METADATA.tables.values(), forms, KEPT_AS_IT_IS)


def move_reader(connection: Connection, subscriber: int, email: str) -> None:
    """Have what is still to be sent to a reader go to another address."""
    # Also of one that was stopped and is being corrected, whose rest is still to leave.
    unsettled = sa.select(issue.c.id).where(issue.c.frozen_at.is_not(None), issue.c.settled_at.is_(None))
    theirs = delivery.c.issue_id.in_(unsettled), delivery.c.subscriber_id == subscriber
    left = delivery.c.state.in_(UNSETTLED)
    connection.execute(sa.update(delivery).where(*theirs, left).values(email=email))


def wipe(
    connection: Connection, tables: Iterable[sa.Table], forms: Collection[str], kept: Collection[str] = ()
) -> None:
    """Replace addresses, in these forms, wherever they stand in a text or a JSON document of these tables.

    An address of which one is only a part stays: `joann@example.org` where `ann@example.org` goes. Keys stay, and so
    does what `kept` names: a table, a column, or `table.column`.
    """
    for table in tables:
        for column in table.columns if table.name not in kept else ():
            named = column.name in kept or f"{table.name}.{column.name}" in kept
            if isinstance(column.type, sa.JSON | sa.String) and not column.primary_key and not named:
                _wipe(connection, column, forms)


def sweep_traces(database: Database) -> None:
    """Have SQLite's log of writes, which holds what was there before, taken into the file and emptied.

    Where somebody is reading it stays until the next time: nobody is held up. PostgreSQL clears its pages by itself.
    """
    if not database.is_sqlite:
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        cursor = driver.cursor()
        if getattr(driver, "in_transaction", False):
            cursor.execute("COMMIT")
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _wipe(connection: Connection, column: sa.Column[Any], forms: Collection[str]) -> None:
    text = sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column
    key = list(column.table.primary_key)
    found = sa.select(*key, column).where(sa.or_(*(text.icontains(form, autoescape=True) for form in forms)))
    mentions = Mentions(forms)
    # What another transaction writes meanwhile is waited for, and not written over.
    for row in connection.execute(found.with_for_update(key_share=True)).all():
        held = row[-1]
        wiped = mentions.without(held)
        if wiped != held:
            this = (each == value for each, value in zip(key, row, strict=False))
            connection.execute(sa.update(column.table).where(*this).values({column: wiped}))


def reader_deliveries(database: Database, subscriber: int) -> Iterator[dict[str, object]]:
    """Every message of a reader: what became of it, when, in whose words. Who takes them slowly keeps no transaction
    open meanwhile."""
    query = (
        sa.select(delivery, issue.c.newsletter, issue.c.local_date, issue.c.number)
        .join(issue, issue.c.id == delivery.c.issue_id)
        .where(issue.c.frozen_at.is_not(None), delivery.c.subscriber_id == subscriber)
        .order_by(delivery.c.issue_id)
        .limit(_PAGE)
    )
    after = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(query.where(delivery.c.issue_id > after)).all()
        yield from (_told(row) for row in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1].issue_id


def reader_tellings(database: Database, subscriber: int) -> list[dict[str, object]]:
    """What which program was told of a reader, when that happened, and whether it took it."""
    query = (
        sa.select(webhook.c.name, webhook_event.c.kind, webhook_event.c.at, webhook_delivery.c.state)
        .join_from(webhook_delivery, webhook_event, webhook_event.c.id == webhook_delivery.c.event_id)
        .join(webhook, webhook.c.id == webhook_delivery.c.webhook_id)
        .where(webhook_event.c.subscriber_id == subscriber)
        .order_by(webhook_event.c.id, webhook.c.name)
    )
    with database.read() as connection:
        return [
            {"webhook": row.name, "kind": row.kind, "at": row.at.isoformat(), "state": row.state}
            for row in connection.execute(query)
        ]


def _told(row: sa.Row[Any]) -> dict[str, object]:
    return {
        "issue": str(IssueId(row.newsletter, row.local_date, row.number)),
        "address": row.email,
        "name": row.name,
        "edition": row.edition,
        "state": row.state,
        "tries": row.attempts,
        "code": row.code,
        "reply": row.reply,
        "at": row.changed_at.isoformat(),
    }
