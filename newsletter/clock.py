"""What time it is: the system's clock, or a rehearsal's that runs on from `NEWSLETTER_NOW`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from newsletter.errors import SettingError

__all__ = ["Clock", "parse_instant"]


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that showed `start` at Unix second `anchor` and runs `speed` times as fast as the system's.

    Without `start` it is the system's clock. Processes given the same start and anchor show the same time.
    """

    start: datetime | None = None
    anchor: float = field(default_factory=time.time)
    speed: float = 1.0
    unix: Callable[[], float] = time.time

    @classmethod
    def parse(cls, text: str | None, speed: float = 1.0) -> Clock:
        """Read the value of `NEWSLETTER_NOW`: `ISO-TIME[@UNIX-SECOND]`; raises `SettingError`."""
        if not text:
            return cls()
        stamp, _, anchor = text.partition("@")
        try:
            start = parse_instant(stamp)
            return cls(start, float(anchor) if anchor else time.time(), speed)
        except ValueError as error:
            raise SettingError(
                f"NEWSLETTER_NOW={text!r} is not a time with a zone ({error});"
                " write for example 2026-05-27T05:25:00+08:00"
            ) from None

    @property
    def rehearsing(self) -> bool:
        """Whether this is not the system's clock."""
        return self.start is not None

    def now(self) -> datetime:
        """The present instant, aware and UTC."""
        if self.start is None:
            return datetime.fromtimestamp(self.unix(), UTC)
        return self.start + timedelta(seconds=(self.unix() - self.anchor) * self.speed)

    def real_seconds(self, wait: timedelta) -> float:
        """How many seconds of the system's clock pass while this clock advances by `wait`; never negative."""
        return max(0.0, wait.total_seconds() / self.speed)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 time with a zone, as UTC; `ValueError` without one."""
    stamp = datetime.fromisoformat(text.strip())
    if stamp.tzinfo is None:
        raise ValueError("it has no UTC offset")
    return stamp.astimezone(UTC)
