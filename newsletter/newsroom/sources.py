"""The sources of a desk: how each is doing, and whole lists of them in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from newsletter import gather
from newsletter.errors import InputError
from newsletter.model import Refusal
from newsletter.newsroom import schedule_file
from newsletter.newsroom.gathering import next_poll, polled_sources
from newsletter.newsroom.room import Newsroom
from newsletter.plan import SourcePlan
from newsletter.ports import SourceState

__all__ = ["Standing", "export_opml", "import_opml", "standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A source of schedule.yaml, what we remember of it, how many stories it has brought, and when it is asked again.

    `next_poll` is None for one that was never asked, is never asked, or is switched off.
    """

    source: SourcePlan
    state: SourceState
    stories: int
    next_poll: datetime | None


def standings(room: Newsroom) -> list[Standing]:
    """Every source, in the file's order."""
    counts = room.stories.count_by_source()
    asked = {source.id for source in polled_sources(room)}
    found = []
    for source in room.plan.sources.values():
        state = room.source_states.get(source.id, source.url)
        at = next_poll(source, state) if source.id in asked and state.switched_off is None else None
        found.append(Standing(source, state, counts.get(source.id, 0), at))
    return found


def import_opml(room: Newsroom, path: Path) -> tuple[Sequence[SourcePlan], Sequence[Refusal]]:
    """Add the feeds of an OPML file to schedule.yaml, comments kept, those that are there left out.

    The file is checked as a whole before it is put in place. Raises `InputError`, `PlanError`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    known = room.plan.sources
    found, refused = gather.read_opml(data, path.name, list(known))
    addresses = {source.url: source.id for source in known.values() if source.url}
    new = [source for source in found if source.url not in addresses]
    there = [
        Refusal(source.outlet or source.id, f"{source.url} is in schedule.yaml already, as {addresses[source.url]}")
        for source in found
        if source.url in addresses
    ]
    if new:
        _add(room, new)
    return new, [*refused, *there]


def export_opml(room: Newsroom) -> bytes:
    """The feeds of schedule.yaml as OPML."""
    return gather.write_opml(room.plan.sources.values(), f"Sources of {room.desk.name}")


def _add(room: Newsroom, sources: Sequence[SourcePlan]) -> None:
    def change(document: Any) -> None:
        from ruamel.yaml.comments import CommentedMap

        if document.get("sources") is None:
            document["sources"] = CommentedMap()
        for source in sources:
            fields = CommentedMap(kind=source.kind, url=source.url, outlet=source.outlet)
            if source.section:
                fields["section"] = source.section
            if source.country:
                fields["country"] = source.country
            fields.fa.set_flow_style()
            document["sources"][source.id] = fields

    schedule_file.put_in_place(room, schedule_file.rewrite(room, change))
