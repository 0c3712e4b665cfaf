"""The schedule in force: what schedule.yaml says, with what people decided beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.plan.overlays import Overlay
from newsletter.plan.slots import Slot, is_regular, slot_of, slots_between
from newsletter.plan.values import Newsletter, Plan

__all__ = ["Timetable"]

_HORIZONS = (14, 60, 400)
"""Days to look ahead, so that a desk of a thousand newsletters need not look at a year."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """A plan and the overlays on it at one moment, by newsletter and earliest first."""

    plan: Plan
    overlays: Mapping[str, Sequence[Overlay]]

    def slot_of(self, newsletter: Newsletter, day: date, number: int = 1) -> Slot:
        """The slot of any date and number, as `plan.slot_of`."""
        return slot_of(newsletter, day, number, self._of(newsletter))

    def slots_between(self, newsletter: Newsletter, start: datetime, end: datetime) -> Iterator[Slot]:
        """The slots with `start` ≤ `instant` < `end`, as `plan.slots_between`."""
        return slots_between(newsletter, start, end, self._of(newsletter))

    def upcoming(self, now: datetime, count: int, newsletters: Iterable[Newsletter] | None = None) -> list[Slot]:
        """The next slots of these newsletters (of all), at most `count` and not beyond 400 days, in order."""
        chosen = list(self.plan.newsletters.values() if newsletters is None else newsletters)
        found: list[Slot] = []
        for days in _HORIZONS:
            found = [slot for each in chosen for slot in self.slots_between(each, now, now + timedelta(days))]
            if len(found) >= count:
                break
        return sorted(found, key=lambda slot: (slot.instant, slot.newsletter))[:count]

    def regular(self, newsletter: Newsletter, day: date, number: int) -> Slot | None:
        """The slot where the schedule has one of its own, or a person stopped what another made; None for an issue
        that somebody makes by hand, at an hour of their choice."""
        slot = self.slot_of(newsletter, day, number)
        if slot.stopped_by is not None or is_regular(newsletter, day, number, self._of(newsletter)):
            return slot
        return None

    def _of(self, newsletter: Newsletter) -> Sequence[Overlay]:
        return self.overlays.get(newsletter.name, ())
