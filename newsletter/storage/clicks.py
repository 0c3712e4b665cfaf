"""Counted links: where each leads, and how often it was followed. Nothing tells who followed one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from newsletter.model import LINK_KEY, IssueId, RenderedEdition
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.keys import issue_pk
from newsletter.storage.tables import click_link, click_tally, issue

__all__ = ["Clicked", "Clicks", "Link", "keep_links"]


@dataclass(frozen=True, slots=True)
class Link:
    """A story's link as one edition is mailed with it, which has `among` of them; `mail` is the same for all those."""

    key: str
    mail: tuple[str, int, str]
    newsletter: str
    url: str
    among: int


@dataclass(frozen=True, slots=True)
class Clicked:
    """How often a story was followed from the mails of one edition in the hour that begins then."""

    story: str
    edition: str
    hour: datetime
    clicks: int
    scanned: int


class Clicks:
    """The counted links of every issue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self, issue_id: IssueId, revision: int, edition: str) -> Mapping[str, str]:
        """The key of each story's link, by the story's id; none where nothing is counted."""
        query = sa.select(_LINK.c.story, _LINK.c.key).where(_LINK.c.revision == revision, _LINK.c.edition == edition)
        with self._database.read() as connection:
            mine = query.where(_LINK.c.issue_id == issue_pk(connection, issue_id))
            return {row.story: row.key for row in connection.execute(mine)}

    def find(self, key: str) -> Link | None:
        """The link of that key, or None."""
        if len(key) != LINK_KEY or not key.isascii():
            return None
        with self._database.read() as connection:
            row = connection.execute(_FIND, {"key": key}).first()
        if row is None:
            return None
        return Link(row.key, (str(row.issue_id), row.revision, row.edition), row.newsletter, row.url, row.among)

    def count(self, followed: Mapping[tuple[str, datetime], tuple[int, int]]) -> None:
        """Count on: for a key and the beginning of an hour, how many clicks and how many of scanners.

        A link that is gone, with its issue, is passed over.
        """
        with self._database.write() as connection:
            there = set(connection.scalars(sa.select(_LINK.c.key).where(_LINK.c.key.in_({key for key, _ in followed}))))
            rows = [
                {"key": key, "hour": hour, "clicks": clicks, "scanned": scanned}
                for (key, hour), (clicks, scanned) in sorted(followed.items())
                if key in there
            ]
            if rows:
                connection.execute(_ADDED[connection.dialect.name], rows)

    def of(self, issue_id: IssueId) -> Sequence[Clicked]:
        """What was counted, the earliest hour first; what revisions of an edition tell alike is together."""
        columns = _LINK.c.story, _LINK.c.edition, _TALLY.c.hour
        sums = (sa.func.sum(column).label(column.name) for column in (_TALLY.c.clicks, _TALLY.c.scanned))
        query = sa.select(*columns, *sums).join_from(_TALLY, _LINK).group_by(*columns).order_by(*reversed(columns))
        with self._database.read() as connection:
            rows = connection.execute(query.where(_LINK.c.issue_id == issue_pk(connection, issue_id)))
            return [Clicked(row.story, row.edition, row.hour, int(row.clicks), int(row.scanned)) for row in rows]

    def counted(self, issue_id: IssueId) -> bool:
        """Whether mails of the issue have counted links."""
        query = sa.select(_LINK.c.key).limit(1)
        with self._database.read() as connection:
            return connection.scalar(query.where(_LINK.c.issue_id == issue_pk(connection, issue_id))) is not None


def keep_links(
    connection: Connection,
    issue_id: IssueId,
    revision: int,
    editions: Iterable[RenderedEdition],
    digest: Callable[[str], str],
) -> None:
    """Keep every counted link of the editions, within a transaction of the caller.

    `digest` makes 32 hexadecimal digits of a text that nobody can guess, and the same ones again where an issue is
    frozen anew after a backup was put back: what was mailed before then still leads on.
    """
    pk = issue_pk(connection, issue_id)
    rows = [
        {
            "key": _key(digest(f"{issue_id}|{revision}|{each.edition.key}|{story}")),
            "issue_id": pk,
            "revision": revision,
            "edition": each.edition.key,
            "place": place,
            "story": story,
            "url": url,
        }
        for each in editions
        for place, (story, url) in enumerate(each.links)
    ]
    if rows:
        connection.execute(insert_or_ignore(connection, click_link), rows)


def _key(digits: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(digits)).rstrip(b"=").decode()


_LINK, _TALLY = click_link, click_tally
_SAME_MAIL = click_link.alias()
_AMONG = (
    sa.select(sa.func.count())
    .where(*(_SAME_MAIL.c[name] == _LINK.c[name] for name in ("issue_id", "revision", "edition")))
    .scalar_subquery()
)
_FIND = (
    sa.select(_LINK, issue.c.newsletter, _AMONG.label("among"))
    .join_from(_LINK, issue)
    .where(_LINK.c.key == sa.bindparam("key"))
)


def _added(insert: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    more = {name: click_tally.c[name] + insert.excluded[name] for name in ("clicks", "scanned")}
    return insert.on_conflict_do_update(index_elements=list(click_tally.primary_key), set_=more)


_ADDED = {
    "sqlite": _added(sqlite.insert(click_tally)),
    "postgresql": _added(postgresql.insert(click_tally)),
}
