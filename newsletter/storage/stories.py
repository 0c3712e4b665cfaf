"""Stories, their revisions, and the selections that an issue is made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from newsletter.errors import NotFoundError
from newsletter.model import SEALED, CountryOrigin, IssueId, Precision, Story, StoryStatus
from newsletter.storage.database import Database
from newsletter.storage.documents import STORY, content_of
from newsletter.storage.keys import is_issue
from newsletter.storage.tables import issue, issue_story, story, story_revision

__all__ = ["Ingested", "Stories"]

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many stories of a poll were new, revised, or known as they are."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0

    def __add__(self, other: Ingested) -> Ingested:
        return Ingested(self.new + other.new, self.revised + other.revised, self.unchanged + other.unchanged)


class Stories:
    """Every story of the desk, unique on (source, external_id)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ingest(self, stories: Iterable[Story], now: datetime) -> Ingested:
        """Store what is new and a revision of what changed; the same stories again change nothing.

        Where one call holds an identity twice the first counts. A country that an editor chose stays.
        """
        by_identity: dict[tuple[str, str], Story] = {}
        for each in stories:
            by_identity.setdefault((each.source, each.external_id), each)
        everything = list(by_identity.values())
        total = Ingested()
        for start in range(0, len(everything), CHUNK):
            total += self._ingest_chunk(everything[start : start + CHUNK], now)
        return total

    def _ingest_chunk(self, stories: Sequence[Story], now: datetime) -> Ingested:
        try:
            with self._database.write() as connection:
                return _ingest_chunk(connection, stories, now)
        except IntegrityError:
            # Another process stored one of them between our look and our insert: now we see it.
            with self._database.write() as connection:
                return _ingest_chunk(connection, stories, now)

    def get(self, story_id: str) -> Story:
        """The story called `source:external_id`; raises `NotFoundError`."""
        source, _, external_id = story_id.partition(":")
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(story.c.document).where(story.c.source == source, story.c.external_id == external_id)
            ).first()
        if row is None:
            raise NotFoundError(f"there is no story {story_id!r}; `newsletter stories list` shows them")
        return STORY.validate_json(row.document)

    def list(
        self,
        *,
        country: str | None = None,
        source: str | None = None,
        status: StoryStatus | None = None,
        limit: int | None = None,
    ) -> Iterator[Story]:
        """Stories that match, latest published first."""
        query = sa.select(story.c.document).order_by(story.c.published_at.desc(), story.c.id.desc())
        for column, value in ((story.c.country, country), (story.c.source, source), (story.c.status, status)):
            if value is not None:
                query = query.where(column == str(value))
        yield from self._stream(query.limit(limit))

    def count_by_country(self) -> Mapping[str | None, int]:
        """How many stories each country has; under None those that wait for one."""
        with self._database.read() as connection:
            query = sa.select(story.c.country, sa.func.count().label("number")).group_by(story.c.country)
            return {row.country: row.number for row in connection.execute(query)}

    def window(
        self,
        *,
        available_after: datetime | None,
        available_until: datetime,
        published_after: datetime,
        published_until: datetime,
        not_carried_by: Collection[str],
        issue_id: IssueId,
    ) -> Sequence[Story]:
        """Ready, filed stories that became available in (`available_after`, `available_until`] and were published
        in (`published_after`, `published_until`], and that no sealed issue of the named newsletters other than
        `issue_id` has carried, oldest first.

        A story is available from when it was gathered, or later: when it was filed, when its embargo ends.
        """
        carried = (
            sa.select(issue_story.c.story)
            .join(issue, issue.c.id == issue_story.c.issue_id)
            .where(
                issue.c.newsletter.in_(list(not_carried_by)),
                issue.c.state.in_(SEALED),
                ~sa.and_(*is_issue(issue_id)),
                issue_story.c.story == story.c.source + ":" + story.c.external_id,
            )
        )
        query = (
            sa.select(story.c.document)
            .where(
                story.c.status == StoryStatus.READY,
                story.c.country.is_not(None),
                story.c.available_at <= available_until,
                story.c.published_at > published_after,
                story.c.published_at <= published_until,
                ~carried.exists(),
            )
            .order_by(story.c.published_at, story.c.id)
        )
        if available_after is not None:
            query = query.where(story.c.available_at > available_after)
        return list(self._stream(query))

    def corpus(self, published_after: datetime) -> Sequence[Story]:
        """Every ready story published after that instant: what related reading is chosen from."""
        query = (
            sa.select(story.c.document)
            .where(story.c.status == StoryStatus.READY, story.c.published_at > published_after)
            .order_by(story.c.id)
        )
        return list(self._stream(query))

    def statuses(self, story_ids: Collection[str]) -> Mapping[str, StoryStatus]:
        """The present status of the named stories, for a last look before sending."""
        name = story.c.source + ":" + story.c.external_id
        with self._database.read() as connection:
            rows = connection.execute(sa.select(name, story.c.status).where(name.in_(list(story_ids))))
            return {story_id: StoryStatus(status) for story_id, status in rows}

    def _stream(self, query: sa.Select[tuple[str]]) -> Iterator[Story]:
        with self._database.read() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield STORY.validate_json(row.document)


def _ingest_chunk(connection: Connection, stories: Sequence[Story], now: datetime) -> Ingested:
    known = _known(connection, stories)
    new: list[Story] = []
    revised: list[tuple[int, Story, datetime]] = []
    unchanged = 0
    for each in stories:
        row = known.get((each.source, each.external_id))
        if row is None:
            new.append(replace(each, revision=1, gathered_at=now))
            continue
        old = STORY.validate_json(row.document)
        merged = _merge(old, each)
        if content_of(merged) == content_of(old):
            unchanged += 1
        else:
            # An embargo that was lifted makes the story available now, a correction makes it no newer.
            since = min(row.available_at, now) if _is_filed(old) else now
            revised.append((row.id, replace(merged, revision=row.revision + 1), since))
    written = [(row_id, each) for row_id, each, _ in revised]
    for row_id, each, since in revised:
        connection.execute(sa.update(story).where(story.c.id == row_id).values(_columns(each, since)))
    if new:
        connection.execute(sa.insert(story), [_columns(each, now) for each in new])
        fresh = _known(connection, new)
        written += [(fresh[each.source, each.external_id].id, each) for each in new]
    if written:
        connection.execute(
            sa.insert(story_revision),
            [
                {
                    "story_id": row_id,
                    "revision": each.revision,
                    "at": now,
                    "document": STORY.dump_json(each).decode(),
                }
                for row_id, each in written
            ],
        )
    return Ingested(len(new), len(revised), unchanged)


def _is_filed(each: Story) -> bool:
    """Whether the story could stand in an issue, its embargo aside."""
    return each.country is not None and each.status is StoryStatus.READY


def _known(connection: Connection, stories: Sequence[Story]) -> dict[tuple[str, str], sa.Row[Any]]:
    found: dict[tuple[str, str], sa.Row[Any]] = {}
    ids_by_source: dict[str, list[str]] = {}
    for each in stories:
        ids_by_source.setdefault(each.source, []).append(each.external_id)
    for source, external_ids in ids_by_source.items():
        rows = connection.execute(
            sa.select(story).where(story.c.source == source, story.c.external_id.in_(external_ids)).with_for_update()
        )
        found.update({(row.source, row.external_id): row for row in rows})
    return found


def _merge(old: Story, new: Story) -> Story:
    """The new content with what the desk itself decided about the old one."""
    merged = replace(new, status=old.status, revision=old.revision, gathered_at=old.gathered_at)
    if new.published_precision is Precision.FETCHED:
        merged = replace(merged, published_at=old.published_at)
    if old.country_origin is CountryOrigin.EDITOR:
        merged = replace(merged, country=old.country, country_origin=old.country_origin)
    return merged


def _columns(each: Story, since: datetime) -> dict[str, object]:
    """The row of a story that could stand in an issue since then, if no embargo holds it back."""
    return {
        "source": each.source,
        "external_id": each.external_id,
        "country": each.country,
        "status": each.status,
        "published_at": each.published_at,
        "available_at": max(since, each.embargo) if each.embargo else since,
        "revision": each.revision,
        "document": STORY.dump_json(each).decode(),
    }
