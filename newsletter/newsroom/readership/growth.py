"""How many readers came and went, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from newsletter.newsroom.room import Newsroom

__all__ = ["Grown", "growth"]


@dataclass(frozen=True, slots=True)
class Grown:
    """Subscriptions that were confirmed, and that ended, on one day (UTC)."""

    day: date
    confirmed: int
    ended: int

    @property
    def net(self) -> int:
        """By how many there are more."""
        return self.confirmed - self.ended


def growth(room: Newsroom, days: Sequence[date], newsletter: str | None = None) -> list[Grown]:
    """Each of these days (without a gap, earliest first), for one newsletter or for all."""
    start = datetime.combine(days[0], time(), UTC)
    end = datetime.combine(days[-1] + timedelta(days=1), time(), UTC)
    counts = {day: [0, 0] for day in days}
    for change in room.subscribers.changes(start, end):
        if newsletter is None or change.newsletter == newsletter:
            counts[change.day][0] += change.confirmed
            counts[change.day][1] += change.ended
    return [Grown(day, *numbers) for day, numbers in counts.items()]
