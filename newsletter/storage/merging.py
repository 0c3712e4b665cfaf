"""What becomes of a story that its source sends again: the new content, and what the desk decided about the old one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from newsletter.model import CountryOrigin, Precision, Story, StoryStatus

__all__ = ["merged_with", "undone"]


def merged_with(old: Story, new: Story) -> Story:
    """The new content with what the desk itself decided about the old one."""
    # A draft waits for what its source has yet to send, and a source may take back what it sent; every other status
    # is the desk's word.
    its_own = old.status is StoryStatus.DRAFT or new.status is StoryStatus.WITHDRAWN
    status = new.status if its_own else old.status
    merged = replace(new, status=status, revision=old.revision, gathered_at=old.gathered_at)
    if new.published_precision is Precision.FETCHED:
        merged = replace(merged, published_at=old.published_at)
    if old.country_origin is CountryOrigin.EDITOR:
        merged = replace(merged, country=old.country, country_origin=old.country_origin)
    merged = replace(merged, edited=old.edited, **{name: getattr(old, name) for name in old.edited})
    return merged if "note" in old.edited else _with_note(merged, old)


def undone(old: Story, merged: Story) -> Iterator[tuple[str, str]]:
    """What of the desk's work a source's new content undoes, and why."""
    if old.note_approved_by and merged.note and not merged.note_approved_by:
        changed = "note" if merged.note != old.note else "headline or summary"
        yield "note waits for approval again", f"the {changed} changed; {old.note_approved_by} had approved it"
    if merged.status is StoryStatus.WITHDRAWN is not old.status:
        yield str(StoryStatus.WITHDRAWN), "its source took it back"


def _with_note(merged: Story, old: Story) -> Story:
    """A note drafted here outlives what the source sends; an approval given here covers the very words it was given
    for, of the note and of the story."""
    if merged.note and merged.note != old.note:
        return merged
    if not merged.note and old.note_provenance is None:
        return merged
    covered = (merged.title, merged.summary) == (old.title, old.summary)
    return replace(
        merged,
        note=old.note,
        note_origin=old.note_origin,
        note_provenance=old.note_provenance,
        note_approved_by=merged.note_approved_by or (old.note_approved_by if covered else None),
    )
