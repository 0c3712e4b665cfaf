"""How a send is going: counts, rate and time left, for a terminal and for screens."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.model import UNSETTLED, DeliveryState

__all__ = ["Meter", "SendProgress"]

_LOOK_BACK = 10.0
"""Seconds that the rate is taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProgress:
    """`settled` of `total` deliveries will not change by themselves any more, `rate` a second; the rest takes `seconds`
    at that rate, which nobody knows (None) while nothing moves."""

    counts: Mapping[str, int]
    settled: int
    total: int
    rate: float
    seconds: float | None

    @property
    def words(self) -> str:
        """What a person wants to know beside a bar: the rate, and what went wrong."""
        troubles = (DeliveryState.DEFERRED, DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.UNKNOWN)
        named = [f"{self.counts[state]:,} {state}" for state in troubles if self.counts.get(state)]
        return ", ".join([f"{self.rate:,.0f}/s", *named])

    def as_json(self) -> dict[str, object]:
        """One reading, for screens."""
        return {
            "deliveries": dict(self.counts),
            "settled": self.settled,
            "total": self.total,
            "rate": round(self.rate, 1),
            "seconds": None if self.seconds is None else round(self.seconds),
        }


class Meter:
    """Turns counts that are read now and then, by whoever sends, into progress."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._readings: deque[tuple[float, int]] = deque()

    def read(self, counts: Mapping[str, int]) -> SendProgress:
        """The progress at this moment."""
        settled = sum(number for state, number in counts.items() if state not in UNSETTLED)
        total, now = sum(counts.values()), self._now()
        self._readings.append((now, settled))
        while len(self._readings) > 2 and self._readings[1][0] <= now - _LOOK_BACK:
            self._readings.popleft()
        began, before = self._readings[0]
        rate = (settled - before) / max(now - began, 1)
        left = total - settled
        seconds = left / rate if rate > 0 else None
        return SendProgress(counts=counts, settled=settled, total=total, rate=rate, seconds=seconds if left else 0)
