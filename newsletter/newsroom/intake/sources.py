"""The sources of a desk: how each is doing, and whole lists of them in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from newsletter import gather
from newsletter.errors import InputError, NothingToDoError, StorageError
from newsletter.model import Refusal
from newsletter.newsroom.intake.gathering import next_poll, polled_sources, source_plan
from newsletter.newsroom.planning import schedule_file
from newsletter.newsroom.room import Newsroom
from newsletter.plan import SourcePlan
from newsletter.ports import SourceState

__all__ = [
    "Brought",
    "Standing",
    "brought",
    "check_switch",
    "export_opml",
    "import_opml",
    "standings",
    "switch_off",
    "switch_on",
]


@dataclass(frozen=True, slots=True)
class Standing:
    """A source of schedule.yaml, what we remember of it, how many stories it has brought, and when it is asked again.

    `next_poll` is None for one that was never asked, is never asked, or is switched off.
    """

    source: SourcePlan
    state: SourceState
    stories: int
    next_poll: datetime | None

    @property
    def polled(self) -> bool:
        """Whether it is asked for stories; the others push theirs."""
        return self.source.kind in gather.source_kinds()


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


@dataclass(frozen=True, slots=True)
class Brought:
    """How many stories came in on each of some days, by source, and by the country they are filed under (None: none
    yet)."""

    by_source: Mapping[str, Sequence[int]]
    by_country: Mapping[str | None, Sequence[int]]


def brought(room: Newsroom, days: Sequence[date]) -> Brought:
    """What came in on these days (UTC, without a gap, earliest first)."""
    place = {day: number for number, day in enumerate(days)}
    by_source: dict[str, list[int]] = {}
    by_country: dict[str | None, list[int]] = {}
    for source, country, at in room.stories.arrivals(datetime.combine(days[0], time(), UTC)):
        if (day := place.get(at.astimezone(UTC).date())) is not None:
            by_source.setdefault(source, [0] * len(days))[day] += 1
            by_country.setdefault(country, [0] * len(days))[day] += 1
    return Brought(by_source, by_country)


def switch_off(room: Newsroom, source_id: str, *, who: str, why: str = "") -> None:
    """Have the clock leave a source alone until somebody switches it on, or asks it by hand.

    Raises `InputError` for one that pushes, and `NothingToDoError` where it is off.
    """
    because = f": {' '.join(why.split())}" if why.strip() else ""
    _switch(room, source_id, f"by {who}{because}")


def switch_on(room: Newsroom, source_id: str) -> None:
    """Have the clock poll a source again, whoever switched it off; raises `NothingToDoError` where it is on."""
    _switch(room, source_id, None)


def check_switch(room: Newsroom, source_id: str, *, off: bool) -> SourcePlan:
    """The source, if it may be switched off, or on; raises what that would."""
    source = source_plan(room, source_id)
    if source.kind not in gather.source_kinds():
        raise InputError(f"{source_id} is not polled, its stories are pushed; schedule.yaml says who may")
    if off is (room.source_states.get(source_id, source.url).switched_off is not None):
        raise NothingToDoError(f"{source_id} is switched {'off' if off else 'on'} already")
    return source


def _switch(room: Newsroom, source_id: str, off: str | None) -> None:
    with room.database.hold(f"gather {source_id}") as held:  # a poll under way would write its own state over ours
        if not held:
            raise StorageError(f"{source_id} is being polled at this moment; repeat this")
        source = check_switch(room, source_id, off=off is not None)
        state = room.source_states.get(source_id, source.url)
        room.source_states.put(source_id, replace(state, switched_off=off, asked=source.url))


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
