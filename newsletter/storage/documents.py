"""Values to JSON documents and back, for the columns that hold a whole value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from pydantic import TypeAdapter

from newsletter.model import Precision, RenderedEdition, Snapshot, Story
from newsletter.ports import SourceState

__all__ = ["EDITION", "SNAPSHOT", "SOURCE_STATE", "STORY", "content_of", "snapshot_of"]

STORY = TypeAdapter(Story)
SNAPSHOT = TypeAdapter(Snapshot)
EDITION = TypeAdapter(RenderedEdition)
SOURCE_STATE = TypeAdapter(SourceState)


@lru_cache(maxsize=64)
def snapshot_of(document: str) -> Snapshot:
    """The snapshot of a document; the same one for the same text, for an issue on screen is asked for at each click."""
    return SNAPSHOT.validate_json(document)


def content_of(story: Story) -> Story:
    """What a revision is made of: everything but the revision's number and when we saw it.

    A date that we made up ourselves because the source gave none says nothing about the content.
    """
    made_up = story.published_precision is Precision.FETCHED
    published_at = datetime.fromtimestamp(0, UTC) if made_up else story.published_at
    return replace(story, revision=0, gathered_at=None, cluster=None, published_at=published_at)
