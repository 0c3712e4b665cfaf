"""What an issue said in each of its revisions, for undo and for seeing what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import NotFoundError
from newsletter.model import IssueId, Snapshot
from newsletter.storage.database import Database
from newsletter.storage.documents import snapshot_of
from newsletter.storage.keys import is_issue, issue_pk
from newsletter.storage.tables import issue, issue_revision

__all__ = ["Revision", "Revisions", "keep_revision"]


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of what an issue says: when it was made, by whom, and what was done."""

    number: int
    at: datetime
    who: str
    what: str


class Revisions:
    """Every revision since they are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, issue_id: IssueId) -> Sequence[Revision]:
        """Those of one issue, latest first."""
        columns = (issue_revision.c.revision, issue_revision.c.at, issue_revision.c.who, issue_revision.c.what)
        query = sa.select(*columns).join(issue).where(*is_issue(issue_id)).order_by(issue_revision.c.revision.desc())
        with self._database.read() as connection:
            return [Revision(row.revision, row.at, row.who, row.what) for row in connection.execute(query)]

    def get(self, issue_id: IssueId, number: int) -> Snapshot:
        """What the issue said in that revision; raises `NotFoundError`."""
        query = sa.select(issue_revision.c.document).join(issue)
        with self._database.read() as connection:
            document = connection.scalar(query.where(*is_issue(issue_id), issue_revision.c.revision == number))
        if document is None:
            raise NotFoundError(f"no revision {number} of {issue_id} is kept")
        return snapshot_of(document)


def keep_revision(
    connection: Connection, issue_id: IssueId, values: Mapping[str, Any], *, now: datetime, who: str, what: str
) -> None:
    """Keep what the issue says from now on, within the transaction that makes it so; `values` are its columns."""
    said = {"revision": values["revision"], "document": values["snapshot"]}
    connection.execute(
        sa.insert(issue_revision).values(issue_id=issue_pk(connection, issue_id), at=now, who=who, what=what, **said)
    )
