"""What the rows of stories say: which of them are free, whose they are, and the number of a change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import KEEPS_BACK, Story, StoryStatus
from newsletter.storage.documents import STORY
from newsletter.storage.tables import story, story_event

__all__ = ["BY_SOURCE", "COPY", "FREE", "KEPT_BACK", "SHOWN", "by_source", "named", "next_change", "value_of"]

BY_SOURCE = "source "
"""What a source is called in the events of its stories, before its id."""

COPY = story.alias("copy")
# A source takes back what is its own; whether another's copy goes with it is for an editor to say.
_BY_THE_DESK = sa.select(story_event.c.id).where(
    story_event.c.story_id == COPY.c.id,
    story_event.c.what == str(StoryStatus.WITHDRAWN),
    ~story_event.c.who.startswith(BY_SOURCE),
)
KEPT_BACK = sa.select(COPY.c.id).where(
    COPY.c.cluster == story.c.cluster,
    COPY.c.status.in_(KEEPS_BACK),
    sa.or_(COPY.c.status != StoryStatus.WITHDRAWN, COPY.c.source == story.c.source, _BY_THE_DESK.exists()),
)
"""Copies for whose sake a story is kept back."""

FREE: sa.ColumnElement[bool] = sa.and_(story.c.status == StoryStatus.READY, ~KEPT_BACK.exists())
"""Ready, and no copy of it is held or withdrawn."""

SHOWN: sa.Select[Any] = sa.select(story.c.id, story.c.document, story.c.cluster, story.c.changed, story.c.available_at)
"""What a story is made from again."""


def value_of(row: sa.Row[Any]) -> Story:
    """The story of a row of `SHOWN`."""
    each = STORY.validate_json(row.document)
    return replace(each, cluster=row.cluster) if row.cluster else each


def named(story_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """The rows of those stories, found by the index on (source, external_id)."""
    sources = by_source(story_ids).items()
    return sa.or_(
        sa.false(), *(sa.and_(story.c.source == source, story.c.external_id.in_(ids)) for source, ids in sources)
    )


def by_source(story_ids: Iterable[str]) -> dict[str, list[str]]:
    """The external ids of stories by their source."""
    found: dict[str, list[str]] = {}
    for story_id in story_ids:
        source, _, external_id = story_id.partition(":")
        found.setdefault(source, []).append(external_id)
    return found


def next_change(connection: Connection) -> int:
    """The number of this transaction among those that change stories: greater than any that has committed."""
    if connection.dialect.name == "postgresql":
        # Two that change stories at once commit one after the other, so that no number is seen before a lower one.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310430)")
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(story.c.changed), 0))) or 0) + 1
