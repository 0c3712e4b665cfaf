"""Sealed editions: the bytes that an approval stands for, kept under the approved revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import StorageError
from newsletter.model import IssueId, RenderedEdition
from newsletter.storage.documents import EDITION
from newsletter.storage.keys import IS_NAMED, issue_pk, named
from newsletter.storage.tables import edition, issue

__all__ = ["keep_editions", "sealed_edition", "sealed_editions"]


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


_OF_REVISION = sa.and_(edition.c.issue_id == issue.c.id, IS_NAMED, edition.c.revision == sa.bindparam("revision"))
_OF_KEY = sa.and_(_OF_REVISION, edition.c.key == sa.bindparam("key"))
_SEALED = sa.select(edition.c.key, edition.c.document, edition.c.sha256)
_ALL, _ONE = _SEALED.where(_OF_REVISION), _SEALED.where(_OF_KEY)
_HASH_OF_ONE = sa.select(edition.c.sha256).where(_OF_KEY)


def sealed_editions(connection: Connection, issue_id: IssueId, revision: int) -> Mapping[str, RenderedEdition]:
    """The editions sealed under a revision, by key, within a transaction of the caller.

    Raises `StorageError` for bytes that are not the approved ones.
    """
    rows = connection.execute(_ALL, named(issue_id) | {"revision": revision})
    return {row.key: _edition(row, issue_id) for row in rows}


def sealed_edition(connection: Connection, issue_id: IssueId, revision: int, key: str) -> RenderedEdition | None:
    """The one of that key, or None; as `sealed_editions` otherwise.

    An edition on screen is asked for at each click: it is read once, and known by its hash from then on.
    """
    asked = named(issue_id) | {"revision": revision, "key": key}
    digest = connection.scalar(_HASH_OF_ONE, asked)
    if digest is None:
        return None
    known = _known.get((key, digest))
    if known is None:
        known = _edition(connection.execute(_ONE, asked).one(), issue_id)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key, digest] = known
    return known


_MOST_KNOWN = 128
_known: dict[tuple[str, str], RenderedEdition] = {}


def _edition(row: sa.Row[Any, Any, Any], issue_id: IssueId) -> RenderedEdition:
    rendered = EDITION.validate_json(row.document)
    if rendered.sha256 != row.sha256:
        raise StorageError(f"edition {row.key} of {issue_id} is not what was approved; approve the issue again")
    return rendered
