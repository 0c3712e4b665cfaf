"""The life of an issue, one row: made once, its state changed by compare-and-set, every change recorded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import Issue, IssueId, IssueState
from newsletter.storage.database import insert_or_ignore
from newsletter.storage.documents import snapshot_of
from newsletter.storage.keys import IS_NAMED, is_issue, issue_pk, named, no_such_issue
from newsletter.storage.tables import issue, issue_event

__all__ = ["NO_APPROVAL", "WITHOUT_SNAPSHOT", "Transition", "get", "issue_of", "make", "move"]


@dataclass(frozen=True, slots=True)
class Transition:
    """One change in the life of an issue: when, who, from which state to which, and why.

    `plan` is how the digest of the schedule began that was in force then; empty where none was known.
    """

    at: datetime
    who: str
    before: IssueState | None
    after: IssueState
    why: str
    plan: str = ""


NO_APPROVAL = dict.fromkeys(("first_approved_by", "approved_revision", "approved_by", "approved_at", "not_before"))

_ONE = sa.select(issue).where(IS_NAMED)

WITHOUT_SNAPSHOT = sa.select(*[column for column in issue.c if column.name != "snapshot"])


def move(
    connection: Connection,
    issue_id: IssueId,
    before: Collection[IssueState],
    after: IssueState,
    *,
    now: datetime,
    who: str,
    plan: str,
    why: str = "",
    if_revision: int | None = None,
    **values: Any,
) -> bool:
    """Compare-and-set within a transaction of the caller: the state, and the revision where one is given. `values`
    are columns that change with it."""
    old = connection.execute(
        sa.select(issue.c.state, issue.c.revision).where(*is_issue(issue_id)).with_for_update()
    ).first()
    if old is None:
        raise no_such_issue(issue_id)
    if old.state not in set(before) or if_revision not in (None, old.revision):
        return False
    connection.execute(sa.update(issue).where(*is_issue(issue_id)).values(state=after, reason=why, **values))
    _record(connection, issue_id, now, who, IssueState(old.state), after, why, plan)
    return True


def make(connection: Connection, issue_id: IssueId, due_at: datetime, now: datetime, who: str, plan: str) -> bool:
    """Whether the issue was not there yet."""
    values = {"newsletter": issue_id.newsletter, "local_date": issue_id.date, "number": issue_id.number}
    made = connection.execute(
        insert_or_ignore(connection, issue)
        .values(**values, state=IssueState.PLANNED, due_at=due_at)
        .returning(issue.c.id)
    )
    if made.first() is None:
        return False
    _record(connection, issue_id, now, who, None, IssueState.PLANNED, "", plan)
    return True


def get(connection: Connection, issue_id: IssueId) -> Issue:
    """The issue of that id; raises `NotFoundError`."""
    row = connection.execute(_ONE, named(issue_id)).first()
    if row is None:
        raise no_such_issue(issue_id)
    return issue_of(row)


def issue_of(row: sa.Row[Any]) -> Issue:
    """The issue that a row is, with its snapshot where that was asked for."""
    values = row._mapping
    snapshot = values.get("snapshot")
    return Issue(
        id=IssueId(row.newsletter, row.local_date, row.number),
        state=IssueState(row.state),
        reason=row.reason,
        due_at=row.due_at,
        revision=row.revision,
        snapshot=snapshot_of(snapshot) if snapshot else None,
        window_end=row.window_end,
        first_approved_by=row.first_approved_by,
        approved_revision=row.approved_revision,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        frozen_at=row.frozen_at,
        settled_at=row.settled_at,
        edited_by=row.edited_by,
        not_before=row.not_before,
    )


def _record(
    connection: Connection,
    issue_id: IssueId,
    now: datetime,
    who: str,
    before: IssueState | None,
    after: IssueState,
    why: str,
    plan: str,
) -> None:
    connection.execute(
        sa.insert(issue_event).values(
            issue_id=issue_pk(connection, issue_id),
            at=now,
            who=who,
            from_state=before,
            to_state=after,
            why=why,
            plan=plan,
        )
    )
