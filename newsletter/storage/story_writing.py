"""Stories as they are written down: new ones, and revisions of known ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import Story, StoryStatus
from newsletter.storage.documents import STORY, content_of
from newsletter.storage.keys import hashed
from newsletter.storage.merging import merged_with, undone
from newsletter.storage.story_rows import BY_SOURCE, by_source, next_change
from newsletter.storage.tables import story, story_event, story_revision
from newsletter.words import normalised

__all__ = ["Ingested", "ingest_chunk", "is_filed", "keep_revisions", "revise"]


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many stories of a poll were new, revised, or known as they are."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0

    def __add__(self, other: Ingested) -> Ingested:
        return Ingested(self.new + other.new, self.revised + other.revised, self.unchanged + other.unchanged)


def ingest_chunk(connection: Connection, stories: Sequence[Story], now: datetime) -> Ingested:
    """Store what is new and a revision of what changed."""
    number = next_change(connection)
    known = _known(connection, stories)
    new: list[Story] = []
    revised: list[tuple[int, Story, datetime]] = []
    events: list[dict[str, object]] = []
    unchanged = 0
    for each in stories:
        row = known.get((each.source, each.external_id))
        if row is None:
            new.append(replace(each, revision=1, gathered_at=now))
            continue
        old = STORY.validate_json(row.document)
        merged = merged_with(old, each)
        if content_of(merged) == content_of(old):
            unchanged += 1
        else:
            # An embargo that was lifted makes the story available now, a correction makes it no newer.
            since = min(row.available_at, now) if is_filed(old) else now
            revised.append((row.id, replace(merged, revision=row.revision + 1), since))
            events += [
                {"story_id": row.id, "at": now, "who": BY_SOURCE + each.source, "what": what, "why": why}
                for what, why in undone(old, merged)
            ]
    written = [(row_id, each) for row_id, each, _ in revised]
    for row_id, each, since in revised:
        revise(connection, row_id, each, since, number)
    if new:
        connection.execute(sa.insert(story), [_columns(each, now) | {"changed": number} for each in new])
        fresh = _known(connection, new)
        written += [(fresh[each.source, each.external_id].id, each) for each in new]
    keep_revisions(connection, written, now)
    if events:
        connection.execute(sa.insert(story_event), events)
    return Ingested(len(new), len(revised), unchanged)


def revise(connection: Connection, row_id: int, each: Story, since: datetime, number: int) -> None:
    """Have the row of a story say what its new revision says; it could stand in an issue `since` then."""
    values = _columns(each, since) | {"changed": number, "related_revision": None}
    connection.execute(sa.update(story).where(story.c.id == row_id).values(values))


def keep_revisions(connection: Connection, written: Sequence[tuple[int, Story]], now: datetime) -> None:
    """Keep what each of these stories, by the number of its row, says now."""
    if written:
        rows = [
            {"story_id": row_id, "revision": each.revision, "at": now, "document": _document(each)}
            for row_id, each in written
        ]
        connection.execute(sa.insert(story_revision), rows)


def is_filed(each: Story) -> bool:
    """Whether the story could stand in an issue, its embargo aside."""
    return each.country is not None and each.status is StoryStatus.READY


def _known(connection: Connection, stories: Sequence[Story]) -> dict[tuple[str, str], sa.Row[Any]]:
    found: dict[tuple[str, str], sa.Row[Any]] = {}
    for source, external_ids in by_source(each.id for each in stories).items():
        rows = connection.execute(
            sa.select(story).where(story.c.source == source, story.c.external_id.in_(external_ids)).with_for_update()
        )
        found.update({(row.source, row.external_id): row for row in rows})
    return found


def _columns(each: Story, since: datetime) -> dict[str, object]:
    """The row of a story that could stand in an issue since then, if neither embargo nor date holds it back."""
    return {
        "source": each.source,
        "external_id": each.external_id,
        "country": each.country,
        "status": each.status,
        "published_at": each.published_at,
        "available_at": max(since, each.embargo or since, each.published_at),
        "revision": each.revision,
        "document": _document(each),
        "url_hash": hashed(each.url_canonical or each.url),
        "title_hash": hashed(normalised(each.title)),
    }


def _document(each: Story) -> str:
    return STORY.dump_json(each, exclude={"cluster"}).decode()
