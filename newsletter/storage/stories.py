"""Stories, their revisions, and the selections that an issue is made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from newsletter.errors import NotFoundError
from newsletter.model import CountryOrigin, IssueId, Story, StoryStatus
from newsletter.storage.database import Database
from newsletter.storage.documents import STORY, content_of
from newsletter.storage.keys import IS_TOLD, is_issue
from newsletter.storage.story_rows import (
    COPY,
    FREE,
    KEPT_BACK,
    SHOWN,
    named,
    next_change,
    value_of,
)
from newsletter.storage.story_writing import Ingested, ingest_chunk, is_filed, keep_revisions, revise
from newsletter.storage.tables import issue, issue_story, story, story_event, story_revision

__all__ = ["Stories", "StoryEvent"]

CHUNK = 500


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """What somebody at the desk did to a story, when, and why."""

    at: datetime
    who: str
    what: str
    why: str


class Stories:
    """Every story of the desk, unique on (source, external_id)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ingest(self, stories: Iterable[Story], now: datetime) -> Ingested:
        """Store what is new and a revision of what changed; the same stories again change nothing.

        Where one call holds an identity twice the last counts. A country that an editor chose stays.
        """
        by_identity = {(each.source, each.external_id): each for each in stories}
        everything = list(by_identity.values())
        total = Ingested()
        for start in range(0, len(everything), CHUNK):
            total += self._ingest_chunk(everything[start : start + CHUNK], now)
        return total

    def _ingest_chunk(self, stories: Sequence[Story], now: datetime) -> Ingested:
        try:
            with self._database.write() as connection:
                return ingest_chunk(connection, stories, now)
        except IntegrityError:
            # Another process stored one of them between our look and our insert: now we see it.
            with self._database.write() as connection:
                return ingest_chunk(connection, stories, now)

    def get(self, story_id: str) -> Story:
        """The story called `source:external_id`; raises `NotFoundError`."""
        with self._database.read() as connection:
            return value_of(_row(connection, story_id))

    def find(self, story_ids: Collection[str]) -> Mapping[str, Story]:
        """The stories of those ids that there are, by id."""
        wanted = list(story_ids)
        found: dict[str, Story] = {}
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                rows = connection.execute(SHOWN.where(named(wanted[start : start + CHUNK])))
                found.update({each.id: each for each in map(value_of, rows)})
        return found

    def edit(
        self, story_id: str, change: Callable[[Story], Story], *, who: str, what: str, why: str = "", now: datetime
    ) -> Story:
        """The story as `change` makes it, kept as a new revision with who did what and why.

        A change that changes nothing is kept nowhere. `change` may raise; nothing has changed then. Raises
        `NotFoundError`.
        """
        with self._database.write() as connection:
            row = _row(connection, story_id, lock=True)
            old = value_of(row)
            new = replace(change(old), revision=old.revision + 1)
            if content_of(new) == content_of(old):
                return old
            since = row.available_at if is_filed(old) else now
            revise(connection, row.id, new, since, next_change(connection))
            keep_revisions(connection, [(row.id, new)], now)
            connection.execute(sa.insert(story_event).values(story_id=row.id, at=now, who=who, what=what, why=why))
        return new

    def events(self, story_id: str) -> Sequence[StoryEvent]:
        """What was done to the story at the desk, oldest first; raises `NotFoundError`."""
        with self._database.read() as connection:
            query = sa.select(story_event).where(story_event.c.story_id == _row(connection, story_id).id)
            rows = connection.execute(query.order_by(story_event.c.id))
            return [StoryEvent(row.at, row.who, row.what, row.why) for row in rows]

    def list(
        self,
        *,
        country: str | None = None,
        source: str | None = None,
        status: StoryStatus | None = None,
        undecided: bool = False,
        published_in: tuple[datetime, datetime] | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Story]:
        """Stories that match, latest published first; with `undecided` only those that wait for a country.

        `after` is the id of a story: the list goes on behind it. Raises `NotFoundError` where that is none.
        """
        query = SHOWN.order_by(story.c.published_at.desc(), story.c.id.desc())
        if undecided:
            query = query.where(story.c.country.is_(None), story.c.status == StoryStatus.READY)
        if published_in is not None:
            query = query.where(story.c.published_at.between(*published_in))
        if after is not None:
            query = query.where(sa.tuple_(story.c.published_at, story.c.id) < self._place_of(after))
        yield from self._stream(_matching(query, country, source, status).limit(limit))

    def with_held_note(self) -> Iterator[Story]:
        """Ready stories whose note waits for approval, latest published first."""
        query = SHOWN.where(story.c.status == StoryStatus.READY, story.c.document.contains('"note":["'))
        for each in self._stream(query.order_by(story.c.published_at.desc(), story.c.id.desc())):
            if not each.shown_note:
                yield each

    def as_sent(self, story_id: str) -> Story:
        """The story as it last was before an editor filed it; raises `NotFoundError`."""
        query = sa.select(story_revision.c.document).order_by(story_revision.c.revision.desc())
        with self._database.read() as connection:
            row = _row(connection, story_id)
            rows = connection.execute(query.where(story_revision.c.story_id == row.id))
            revisions = (STORY.validate_json(revision.document) for revision in rows)
            unfiled = (each for each in revisions if each.country_origin is not CountryOrigin.EDITOR)
            return next(unfiled, value_of(row))

    def rows(
        self,
        rows: Sequence[int],
        *,
        country: str | None = None,
        source: str | None = None,
        status: StoryStatus | None = None,
        limit: int | None = None,
    ) -> Sequence[Story]:
        """The stories of those rows that match, in the order of `rows`."""
        found: list[Story] = []
        with self._database.read() as connection:
            for start in range(0, len(rows), CHUNK):
                some = rows[start : start + CHUNK]
                query = _matching(SHOWN.where(story.c.id.in_(some)), country, source, status)
                by_row = {row.id: row for row in connection.execute(query)}
                found += [value_of(by_row[row_id]) for row_id in some if row_id in by_row]
                if limit is not None and len(found) >= limit:
                    break
        return found[:limit]

    def count_by_country(self) -> Mapping[str | None, int]:
        """How many stories each country has; under None the ready ones that wait for one."""
        counted = sa.or_(story.c.country.is_not(None), story.c.status == StoryStatus.READY)
        with self._database.read() as connection:
            number = sa.func.count().label("number")
            query = sa.select(story.c.country, number).where(counted).group_by(story.c.country)
            return {row.country: row.number for row in connection.execute(query)}

    def count_by_source(self) -> Mapping[str, int]:
        """How many stories each source has brought."""
        with self._database.read() as connection:
            query = sa.select(story.c.source, sa.func.count().label("number")).group_by(story.c.source)
            return {row.source: row.number for row in connection.execute(query)}

    def arrivals(self, since: datetime) -> Sequence[tuple[str, str | None, datetime]]:
        """Source and country of each story that came in since then, and when it was there to be read."""
        query = sa.select(story.c.source, story.c.country, story.c.available_at).where(story.c.available_at >= since)
        with self._database.read() as connection:
            return [(row.source, row.country, row.available_at) for row in connection.execute(query)]

    def window(
        self,
        *,
        available_after: datetime | None,
        available_until: datetime,
        published_after: datetime,
        published_until: datetime,
        not_carried_by: Collection[str],
        issue_id: IssueId,
        or_named: Collection[str] = (),
    ) -> Sequence[Story]:
        """Free, filed stories that became available in (`available_after`, `available_until`] and were published
        in (`published_after`, `published_until`], and that no sealed issue of the named newsletters other than
        `issue_id` has carried, oldest first.

        Those of `or_named` may have become available before.
        A story is available from when it was gathered, or later: when it was filed, when its embargo ends, when the
        date it bears is there.
        """
        carried = (
            sa.select(issue_story.c.story)
            .join(issue, issue.c.id == issue_story.c.issue_id)
            .where(
                issue.c.newsletter.in_(list(not_carried_by)),
                IS_TOLD,
                ~sa.and_(*is_issue(issue_id)),
                issue_story.c.story == story.c.source + ":" + story.c.external_id,
            )
        )
        query = SHOWN.where(
            FREE,
            story.c.country.is_not(None),
            story.c.available_at <= available_until,
            story.c.published_at > published_after,
            story.c.published_at <= published_until,
            ~carried.exists(),
        ).order_by(story.c.published_at, story.c.id)
        if available_after is not None:
            query = query.where(sa.or_(story.c.available_at > available_after, named(or_named)))
        return list(self._stream(query))

    def count_sources(self, clusters: Collection[str]) -> Mapping[str, int]:
        """How many sources brought a story or a copy of it that is ready, by the cluster; none that has no copies."""
        wanted, found = list(clusters), dict[str, int]()
        number = sa.func.count(story.c.source.distinct()).label("number")
        query = sa.select(story.c.cluster, number).where(story.c.status == StoryStatus.READY).group_by(story.c.cluster)
        with self._database.read() as connection:
            for start in range(0, len(wanted), CHUNK):
                rows = connection.execute(query.where(story.c.cluster.in_(wanted[start : start + CHUNK])))
                found.update({row.cluster: row.number for row in rows})
        return found

    def statuses(self, story_ids: Collection[str]) -> Mapping[str, StoryStatus]:
        """The present status of the named stories, for a last look before sending.

        What is held or withdrawn is so in every copy: a ready story has the status of such a copy of it.
        """
        name = story.c.source + ":" + story.c.external_id
        kept_back = KEPT_BACK.with_only_columns(sa.func.max(COPY.c.status)).scalar_subquery()
        with self._database.read() as connection:
            rows = connection.execute(sa.select(name, story.c.status, kept_back).where(named(story_ids)))
            return {
                story_id: StoryStatus(copy if copy and status == StoryStatus.READY else status)
                for story_id, status, copy in rows
            }

    def _place_of(self, story_id: str) -> sa.Tuple:
        """Where in the order of the list a story stands."""
        with self._database.read() as connection:
            row = _row(connection, story_id)
            published = connection.scalar(sa.select(story.c.published_at).where(story.c.id == row.id))
        return sa.tuple_(sa.literal(published, story.c.published_at.type), sa.literal(row.id, story.c.id.type))

    def _stream(self, query: sa.Select[Any]) -> Iterator[Story]:
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield value_of(row)


def _row(connection: Connection, story_id: str, *, lock: bool = False) -> sa.Row[Any]:
    source, _, external_id = story_id.partition(":")
    query = SHOWN.where(story.c.source == source, story.c.external_id == external_id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFoundError(f"there is no story {story_id!r}; `newsletter stories list` shows them")
    return row


def _matching(
    query: sa.Select[Any], country: str | None, source: str | None, status: StoryStatus | None
) -> sa.Select[Any]:
    for column, value in ((story.c.country, country), (story.c.source, source), (story.c.status, status)):
        if value is not None:
            query = query.where(column == str(value))
    return query
