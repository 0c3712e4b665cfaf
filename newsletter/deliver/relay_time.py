"""The relay's time, as the carriers of one send share it."""

from __future__ import annotations

import asyncio
import math
from contextlib import nullcontext

from newsletter.clock import Clock
from newsletter.deliver.drain import Drain
from newsletter.deliver.pace import Pace

__all__ = ["RelayTime"]

_IDLE, _SLOWEST = 20.0, 2.0
"""Seconds that a line may wait for the relay's time (servers hang up on who is silent for minutes), and messages a
second below which a line would mostly wait."""


class RelayTime:
    """Time for windows, at once where nothing limits the relay.

    Else each sender stands in the relay's queue with one window at a time: a share for each sender, and little of the
    relay's time is lost with one that is killed. `carriers` is how many share what this sender is told of its rate.
    """

    def __init__(self, pace: Pace | None, clock: Clock, drain: Drain) -> None:
        self._pace = pace
        self._clock = clock
        self._drain = drain
        self._queue = asyncio.Lock()  # held while a window waits for its time
        self._granted = 0  # messages that were waited for, on a line that grew too old
        self.carriers = 1

    @property
    def limited(self) -> bool:
        """Whether windows have to wait, as far as this sender knows."""
        return self._pace is not None and self._pace.rate is not None

    def of_use(self, carriers: int) -> int:
        """How many of so many carriers would have something to do."""
        rate = self._pace.rate if self._pace is not None else None
        return carriers if rate is None else min(carriers, math.ceil(rate / _SLOWEST))

    def tell(self, throttled: bool, rate: float) -> None:
        """What a carrier's last window heard: did the server complain, and at how many messages a second."""
        if self._pace is None:
            return
        if throttled:
            self._pace.throttled(rate * self.carriers, self._clock.now())
        else:
            self._pace.welcome(self._clock.now())

    async def take(self, size: int) -> int:
        """Wait for time for up to `size` messages: how many there is time for, 0 when the line grew too old meanwhile.

        What was waited for then is there for the next line, at once.
        """
        if self._pace is None:
            return size
        async with self._queue if self.limited else nullcontext():
            if self._granted:
                size, self._granted = min(size, self._granted), 0
                return size
            now = self._clock.now()
            size, start = self._pace.reserve(size, now)
            seconds = self._clock.real_seconds(start - now)
            await self._drain.pause(seconds)
            if seconds > _IDLE:
                self._granted = size
                return 0
            return size
