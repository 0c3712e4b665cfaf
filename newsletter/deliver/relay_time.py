"""The relay's time and lines, as the carriers of one send share them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import nullcontext, suppress

from newsletter.clock import Clock
from newsletter.deliver.drain import Drain
from newsletter.deliver.lines import Share
from newsletter.deliver.pace import Pace
from newsletter.errors import StorageError

__all__ = ["RelayTime"]

_IDLE, _SLOWEST = 20.0, 2.0
"""Seconds that a line may wait for the relay's time (servers hang up on who is silent for minutes), and messages a
second below which a line would mostly wait."""
_GLANCE = 0.05
"""Seconds between two looks whether it is our turn."""


class RelayTime:
    """Time for windows, at once where nothing limits the relay.

    Else each sender stands in the relay's queue with one window at a time: a share for each sender, and little of the
    relay's time is lost with one that is killed. `carriers` is how many share what this sender is told of its rate.

    `spread` is the issue's own pace, beside the relay's. While somebody more urgent is at work, or when others of this
    process are to have the line (`share`), there is no time: the line is closed, and the next one waits for its turn.
    """

    def __init__(self, pace: Pace | None, clock: Clock, drain: Drain, spread: Pace | None = None) -> None:
        self._pace = pace
        self._spread = spread
        self._clock = clock
        self._drain = drain
        self._queue = asyncio.Lock()  # held while a window waits for its time
        self._granted = 0  # messages that were waited for, on a line that grew too old
        self._in_time = 0  # messages that the issue's own pace has let pass, and the relay's has not
        self.share: Share | None = None
        self.carriers = 1

    @property
    def limited(self) -> bool:
        """Whether windows have to wait, as far as this sender knows."""
        return self._rate is not None

    @property
    def _rate(self) -> float | None:
        paces = (pace.rate for pace in (self._pace, self._spread) if pace is not None)
        return min((rate for rate in paces if rate is not None), default=None)

    def of_use(self, carriers: int) -> int:
        """How many of so many carriers would have something to do."""
        rate = self._rate
        return carriers if rate is None else min(carriers, math.ceil(rate / _SLOWEST))

    def tell(self, throttled: bool, rate: float) -> None:
        """What a carrier's last window heard: did the server complain, and at how many messages a second."""
        if self._pace is None:
            return
        if throttled:
            self._pace.throttled(rate * self.carriers, self._clock.now())
        else:
            self._pace.welcome(self._clock.now())

    def leave(self) -> None:
        """This send has no work for now; whoever waited for it goes on at once.

        Where that cannot be written down its word grows old by itself: what ended the work is the thing to tell.
        """
        if self._pace is not None:
            with suppress(StorageError):
                self._pace.leave(self._clock.now())

    async def turn(self, needless: Callable[[], bool]) -> bool:
        """Wait until a line may be opened; False where one became `needless` meanwhile, or nothing more is begun."""
        share = self.share
        with share.waiting() if share is not None else nullcontext():
            while not self._drain.begun:
                if not self._gives_way() and (share is None or share.take()):
                    return True
                if needless():
                    return False
                await self._drain.pause(_GLANCE)
        return False

    async def take(self, size: int, ready: Callable[[int], int]) -> int | None:
        """Wait for time for up to `size` messages: how many there is time for, None when the line is to be closed.

        `ready` counts those that could be claimed, up to a number: time is not taken for more. What was waited for on a
        line that grew too old meanwhile is there for the next one, at once.
        """
        if self._gives_way() or (self.share is not None and self.share.called_back()):
            return None
        if self._pace is None and self._spread is None:
            return size
        async with self._queue if self.limited else nullcontext():
            size = ready(size) if self.limited else size
            if self._granted:
                size, self._granted = min(size, self._granted), 0
                return size
            if not size:
                return 0
            size, waited = await self._wait(size)
            if size and waited > _IDLE:
                self._granted, size = size, 0
            return size or None

    def _gives_way(self) -> bool:
        return self._pace is not None and self._pace.gives_way(self._clock.now())

    async def _wait(self, size: int) -> tuple[int, float]:
        """Time on both paces: for how many messages, and how many seconds it took."""
        waited = 0.0
        if self._spread is not None:
            if not self._in_time:
                self._in_time, seconds = await self._reserve(self._spread, size)
                waited += seconds
            size = min(size, self._in_time)
        if self._pace is not None:
            size, seconds = await self._reserve(self._pace, size)
            waited += seconds
        self._in_time = max(0, self._in_time - size)
        return size, waited

    async def _reserve(self, pace: Pace, size: int) -> tuple[int, float]:
        now = self._clock.now()
        size, start = pace.reserve(size, now)
        seconds = self._clock.real_seconds(start - now)
        await self._drain.pause(seconds)
        return size, seconds
