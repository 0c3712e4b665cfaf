"""How rows are found: by the id that people use, or by what two stories share."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import NotFoundError
from newsletter.model import SEALED, IssueId
from newsletter.storage.tables import issue

__all__ = ["IS_NAMED", "IS_TOLD", "among", "hashed", "is_issue", "issue_pk", "named", "no_such_issue"]


def is_issue(issue_id: IssueId, among: sa.FromClause = issue) -> tuple[sa.ColumnElement[bool], ...]:
    """What tells the row of an issue from all others, of the table or of an alias of it."""
    return (
        among.c.newsletter == issue_id.newsletter,
        among.c.local_date == issue_id.date,
        among.c.number == issue_id.number,
    )


IS_NAMED = sa.and_(
    issue.c.newsletter == sa.bindparam("newsletter"),
    issue.c.local_date == sa.bindparam("local_date"),
    issue.c.number == sa.bindparam("number"),
)
"""`is_issue` for questions that are put together once and asked with `named`: every screen asks them, and SQLAlchemy
takes longer over such a question than SQLite over the answer."""


IS_TOLD: sa.ColumnElement[bool] = sa.or_(issue.c.state.in_(SEALED), issue.c.frozen_at.is_not(None))
"""Readers have, or will have, what the issue tells: also where it was stopped half-way and waits to be corrected."""


def named(issue_id: IssueId) -> dict[str, Any]:
    """The parameters of `IS_NAMED`."""
    return {"newsletter": issue_id.newsletter, "local_date": issue_id.date, "number": issue_id.number}


def among(those: Collection[IssueId]) -> sa.ColumnElement[bool]:
    """What tells the rows of these issues from all others."""
    key = sa.tuple_(issue.c.newsletter, issue.c.local_date, issue.c.number)
    return key.in_([(each.newsletter, each.date, each.number) for each in those])


def issue_pk(connection: Connection, issue_id: IssueId) -> int:
    """The row number of an issue, for tables that hang on it; raises `NotFoundError`."""
    found = connection.scalar(sa.select(issue.c.id).where(*is_issue(issue_id)))
    if found is None:
        raise no_such_issue(issue_id)
    return int(found)


def hashed(text: str) -> str:
    """32 characters that stand for a text of any length in an index; nothing for nothing."""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""


def no_such_issue(issue_id: IssueId) -> NotFoundError:
    """The error for an issue that is not there, with what to do."""
    return NotFoundError(
        f"there is no issue {issue_id}; `newsletter issue list` shows them,"
        f" `newsletter issue build {issue_id.newsletter} --date {issue_id.date}` makes it"
    )
