"""What holds between stories: related reading as it was computed, copies of one story, and what editors chose."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import Story, StoryStatus
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.keys import hashed
from newsletter.storage.story_rows import FREE, SHOWN, named, value_of
from newsletter.storage.tables import story, story_choice
from newsletter.words import normalised

__all__ = ["Choice", "Kept", "StoryLinks", "StoryRow"]

CHUNK = 500
NAME = story.c.source + ":" + story.c.external_id


class Choice(StrEnum):
    """What an editor chose about two stories."""

    PIN = "pin"
    BAN = "ban"
    TOGETHER = "together"
    APART = "apart"


OPPOSITE = {
    Choice.PIN: Choice.BAN,
    Choice.BAN: Choice.PIN,
    Choice.TOGETHER: Choice.APART,
    Choice.APART: Choice.TOGETHER,
}


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A story with the number of its row."""

    row: int
    story: Story


@dataclass(frozen=True, slots=True)
class Kept:
    """One story of another's related reading, as it is kept."""

    id: str
    score: float
    reasons: tuple[str, ...]


class StoryLinks:
    """The links between the stories of the desk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last_change(self) -> int:
        """The number of the last transaction that changed a story; 0 when there is none."""
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(sa.func.max(story.c.changed))) or 0)

    def changed_since(self, mark: int, limit: int) -> tuple[list[StoryRow], int]:
        """Up to about `limit` stories that changed after the mark, and the mark that stands after them.

        A transaction is never taken in part. Without stories the mark stays.
        """
        with self._database.read() as connection:
            numbers = sa.select(story.c.changed).where(story.c.changed > mark).order_by(story.c.changed)
            last = connection.scalar(numbers.limit(1).offset(limit - 1))
            query = SHOWN.where(story.c.changed > mark).order_by(story.c.changed, story.c.id)
            if last is not None:
                query = query.where(story.c.changed <= last)
            found = list(connection.execute(query))
        return [_story_row(row) for row in found], max((row.changed for row in found), default=mark)

    def rows_of(self, story_ids: Collection[str]) -> Mapping[str, int]:
        """The row number of each story, by id."""
        wanted = list(story_ids)
        found: dict[str, int] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                query = sa.select(NAME.label("name"), story.c.id).where(named(wanted[start : start + CHUNK]))
                found.update({row.name: row.id for row in connection.execute(query)})
        return found

    def stories_at(self, rows: Collection[int]) -> Mapping[int, Story]:
        """The stories of those rows, by row."""
        with self._database.read() as connection:
            query = SHOWN.where(story.c.id.in_(list(rows)))
            return {row.id: _story_row(row).story for row in connection.execute(query)}

    # --- related reading ---------------------------------------------------------------------------------

    def waiting(self, limit: int, story_ids: Collection[str] | None = None) -> list[StoryRow]:
        """Ready stories whose related reading has not been computed, latest published first."""
        query = SHOWN.where(story.c.related_revision.is_(None), story.c.status == StoryStatus.READY)
        if story_ids is not None:
            query = query.where(named(story_ids))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(story.c.published_at.desc()).limit(limit))
            return [_story_row(row) for row in rows]

    def waiting_of(self, story_ids: Collection[str]) -> set[str]:
        """Those of these stories that are waiting."""
        wanted, found = list(story_ids), set[str]()
        waits = sa.and_(story.c.related_revision.is_(None), story.c.status == StoryStatus.READY)
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                query = sa.select(NAME.label("name")).where(waits, named(wanted[start : start + CHUNK]))
                found.update(connection.scalars(query))
        return found

    def count_waiting(self) -> int:
        """How many ready stories wait for their related reading."""
        query = sa.select(sa.func.count()).where(
            story.c.related_revision.is_(None), story.c.status == StoryStatus.READY
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def keep(self, related: Mapping[int, Sequence[Kept]], revisions: Mapping[int, int]) -> None:
        """Keep the related reading of rows, for those that are still at the revision it was computed from."""
        update = (
            sa.update(story)
            .where(story.c.id == sa.bindparam("row"), story.c.revision == sa.bindparam("at_revision"))
            .values(related=sa.bindparam("found"), related_revision=sa.bindparam("at_revision"))
        )
        values = [
            {
                "row": row,
                "at_revision": revisions[row],
                "found": json.dumps([[each.id, each.score, each.reasons] for each in kept], ensure_ascii=False),
            }
            for row, kept in related.items()
        ]
        if values:
            with self._database.write() as connection:
                connection.execute(update, values)

    def recompute(self, rows: Collection[int]) -> None:
        """Let the related reading of these rows wait to be computed anew."""
        if rows:
            with self._database.write() as connection:
                connection.execute(sa.update(story).where(story.c.id.in_(list(rows))).values(related_revision=None))

    def kept_at(self, rows: Collection[int]) -> Mapping[int, Sequence[Kept]]:
        """The related reading of those rows as it was last computed."""
        query = sa.select(story.c.id, story.c.related).where(story.c.id.in_(list(rows)))
        with self._database.read() as connection:
            return {row.id: _kept(row.related) for row in connection.execute(query)}

    def kept(self, story_ids: Collection[str] | None = None) -> Mapping[str, Sequence[Kept]]:
        """The related reading of these free stories (None: of all), by id, as it was last computed."""
        query = sa.select(NAME.label("name"), story.c.related).where(FREE)
        if story_ids is not None:
            query = query.where(named(story_ids))
        with self._database.read() as connection:
            return {row.name: _kept(row.related) for row in connection.execute(query.order_by(story.c.id))}

    # --- what editors chose ------------------------------------------------------------------------------

    def choose(self, story_id: str, other: str, choice: Choice, *, who: str, now: datetime) -> None:
        """Remember an editor's choice about two stories, in place of its opposite."""
        with self._database.write() as connection:
            _forget(connection, story_id, other, OPPOSITE[choice])
            values = {"story": story_id, "other": other, "choice": choice, "who": who, "at": now}
            connection.execute(insert_or_ignore(connection, story_choice).values(**values))

    def forget(self, story_id: str, other: str, choice: Choice) -> bool:
        """Take a choice back; whether it was there."""
        with self._database.write() as connection:
            return _forget(connection, story_id, other, choice)

    def choices(self, story_ids: Collection[str] | None = None) -> Mapping[str, Mapping[str, Choice]]:
        """What editors chose about these stories (None: all): by story, then by the other one, latest choice last."""
        query = sa.select(story_choice).order_by(story_choice.c.at)
        if story_ids is not None:
            query = query.where(story_choice.c.story.in_(list(story_ids)))
        found: dict[str, dict[str, Choice]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.story, {})[row.other] = Choice(row.choice)
        return found

    # --- copies of one story -----------------------------------------------------------------------------

    def copies(self, stories: Iterable[Story], within: timedelta) -> Mapping[str, Collection[str]]:
        """By id of each story, the ids of those that are it beyond doubt: of the same canonical URL, or the same title
        within that time."""
        wanted = list(stories)
        urls = {each.id: hashed(each.url_canonical or each.url) for each in wanted}
        titles = {each.id: hashed(normalised(each.title)) for each in wanted}
        by_url = self._dated(story.c.url_hash, urls.values())
        by_title = self._dated(story.c.title_hash, titles.values())
        found: dict[str, Collection[str]] = {}
        for each in wanted:
            near = {name for name, at in by_title.get(titles[each.id], ()) if abs(at - each.published_at) <= within}
            found[each.id] = (near | {name for name, _ in by_url.get(urls[each.id], ())}) - {each.id}
        return found

    def _dated(self, column: sa.Column[Any], values: Collection[str]) -> dict[str, list[tuple[str, datetime]]]:
        """Id and time of publication of the stories with each of those values."""
        found: dict[str, list[tuple[str, datetime]]] = {}
        query = sa.select(NAME.label("name"), story.c.published_at, column.label("key")).order_by(story.c.id)
        for row in self._with(query, column, values):
            found.setdefault(row.key, []).append((row.name, row.published_at))
        return found

    def clusters(self, leads: Collection[str]) -> Mapping[str, Sequence[StoryRow]]:
        """The stories of each of those clusters, by the id of its lead."""
        found: dict[str, list[StoryRow]] = {}
        for row in self._with(SHOWN.order_by(story.c.id), story.c.cluster, leads):
            found.setdefault(row.cluster, []).append(_story_row(row))
        return found

    def _with(self, query: sa.Select[Any], column: sa.Column[Any], values: Collection[str]) -> Iterator[sa.Row[Any]]:
        wanted = sorted({value for value in values if value})
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                yield from connection.execute(query.where(column.in_(wanted[start : start + CHUNK])))

    def leads(self, story_ids: Collection[str]) -> Mapping[str, str | None]:
        """The lead of the cluster of each story, None for one that stands alone."""
        found: dict[str, str | None] = {}
        wanted = list(story_ids)
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                query = sa.select(NAME.label("name"), story.c.cluster).where(named(wanted[start : start + CHUNK]))
                found.update({row.name: row.cluster for row in connection.execute(query)})
        return found

    def put_leads(self, leads: Mapping[str, str | None]) -> None:
        """Set the lead of stories where it is another now."""
        known = self.leads(leads)
        rows = self.rows_of([name for name, lead in leads.items() if name in known and known[name] != lead])
        by_lead: dict[str | None, list[int]] = {}
        for name, row in rows.items():
            by_lead.setdefault(leads[name], []).append(row)
        if by_lead:
            with self._database.write() as connection:
                for lead, members in by_lead.items():
                    connection.execute(sa.update(story).where(story.c.id.in_(members)).values(cluster=lead))

    def move_clusters(self, leads: Mapping[str, str]) -> None:
        """Give whole clusters another lead, by the one they had."""
        if leads:
            with self._database.write() as connection:
                for old, new in leads.items():
                    connection.execute(sa.update(story).where(story.c.cluster == old).values(cluster=new))


def _story_row(row: sa.Row[Any]) -> StoryRow:
    return StoryRow(row.id, value_of(row))


def _kept(text: str) -> list[Kept]:
    return [Kept(name, score, tuple(reasons)) for name, score, reasons in json.loads(text)]


def _forget(connection: Connection, story_id: str, other: str, choice: Choice) -> bool:
    gone = connection.execute(
        sa.delete(story_choice).where(
            story_choice.c.story == story_id, story_choice.c.other == other, story_choice.c.choice == choice
        )
    )
    return bool(gone.rowcount)
