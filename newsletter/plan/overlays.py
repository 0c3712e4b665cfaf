"""What people decided beside schedule.yaml: newsletters paused, dates skipped, issues moved, extra issues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

__all__ = ["EVERY", "Overlay", "OverlayKind"]

EVERY = 0
"""The `number` of an overlay that is about every issue of its dates."""


class OverlayKind(StrEnum):
    """What an overlay does to the slots it is about."""

    PAUSE = "pause"
    SKIP = "skip"
    MOVE = "move"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One decision about the slots of a newsletter on the local dates `first` to `last`, both among them.

    `last` is None for a pause without an end; the other kinds are about one date. `due_at` (UTC) is when a moved or
    an extra issue is due. Taken back, it has `ended_at`: a pause then still holds for the slots before that instant.
    """

    newsletter: str
    kind: OverlayKind
    first: date
    last: date | None
    number: int = 1
    due_at: datetime | None = None
    who: str
    why: str = ""
    made_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    id: int = 0

    @property
    def note(self) -> str:
        """What is said of a slot that it changes: `paused by NAME: reason`."""
        did = {
            OverlayKind.PAUSE: "paused",
            OverlayKind.SKIP: "skipped",
            OverlayKind.MOVE: "moved",
            OverlayKind.EXTRA: "extra issue",
        }
        return f"{did[self.kind]} by {self.who}{self.because}"

    @property
    def because(self) -> str:
        """`: reason`, where there is one."""
        return f": {self.why}" if self.why else ""

    def holds(self, day: date, number: int, instant: datetime) -> bool:
        """Whether it is about the slot of that date and number, which stands at `instant`."""
        if day < self.first or (self.last is not None and day > self.last) or self.number not in (EVERY, number):
            return False
        if self.ended_at is None:
            return True
        return self.kind is OverlayKind.PAUSE and instant < self.ended_at
