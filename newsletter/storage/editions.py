"""Sealed editions: the bytes that an approval stands for, kept under the approved revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import StorageError
from newsletter.model import IssueId, RenderedEdition
from newsletter.storage.documents import EDITION
from newsletter.storage.keys import is_issue, issue_pk
from newsletter.storage.tables import edition, issue

__all__ = ["keep_editions", "sealed_editions"]


def keep_editions(
    connection: Connection, issue_id: IssueId, revision: int, editions: Iterable[RenderedEdition]
) -> None:
    """Store the bytes of editions under an approved revision, in place of those that it had before, if it was approved
    once already."""
    pk = issue_pk(connection, issue_id)
    rows = [
        {
            "issue_id": pk,
            "revision": revision,
            "key": each.edition.key,
            "document": EDITION.dump_json(each).decode(),
            "sha256": each.sha256,
        }
        for each in editions
    ]
    if rows:
        ours = edition.c.issue_id == pk, edition.c.revision == revision
        connection.execute(sa.delete(edition).where(*ours, edition.c.key.in_([row["key"] for row in rows])))
        connection.execute(sa.insert(edition), rows)


def sealed_editions(
    connection: Connection, issue_id: IssueId, revision: int, key: str | None = None
) -> Mapping[str, RenderedEdition]:
    """The editions sealed under a revision (or the one of that `key`), by key, within a transaction of the caller.

    Raises `StorageError` for bytes that are not the approved ones.
    """
    query = (
        sa.select(edition.c.key, edition.c.document, edition.c.sha256)
        .join(issue, issue.c.id == edition.c.issue_id)
        .where(*is_issue(issue_id), edition.c.revision == revision)
    )
    rows = connection.execute(query if key is None else query.where(edition.c.key == key))
    sealed: dict[str, RenderedEdition] = {}
    for row in rows:
        rendered = EDITION.validate_json(row.document)
        if rendered.sha256 != row.sha256:
            raise StorageError(f"edition {row.key} of {issue_id} is not what was approved; approve the issue again")
        sealed[row.key] = rendered
    return sealed
