"""Values to JSON documents and back, for the columns that hold a whole value."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from newsletter.model import Precision, RenderedEdition, Snapshot, Story
from newsletter.ports import SourceState

__all__ = ["EDITION", "SNAPSHOT", "SOURCE_STATE", "STORY", "content_hash"]

STORY = TypeAdapter(Story)
SNAPSHOT = TypeAdapter(Snapshot)
EDITION = TypeAdapter(RenderedEdition)
SOURCE_STATE = TypeAdapter(SourceState)


def content_hash(story: Story) -> str:
    """SHA-256 over what a revision is made of: everything but the revision's number and when we saw it.

    A date that we made up ourselves because the source gave none says nothing about the content.
    """
    plain = replace(story, revision=0, gathered_at=None)
    if plain.published_precision is Precision.FETCHED:
        plain = replace(plain, published_at=datetime.fromtimestamp(0, UTC))
    return hashlib.sha256(STORY.dump_json(plain)).hexdigest()
