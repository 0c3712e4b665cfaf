"""How fast messages leave: under the rate that the relay's owner allows, and slower when the server says so.

A lane is one mail server, whoever sends to it: its row is shared by all senders, processes and hosts. A window takes
its time on the lane before it is claimed, which is the generic cell rate algorithm (ITU-T I.371) with whole windows for
cells. On throttling the rate is halved for all at once, and then it grows by small steps, as TCP's does (RFC 5681).

Who is more urgent says so on the lane while it works, once a second, and the others see it when they look. The word is
good for three seconds: one that is killed holds nobody up longer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.model import DeliveryState, Lane, Outcome
from newsletter.ports import Lanes

__all__ = ["Pace", "throttles"]

log = logging.getLogger(__name__)

_BURST = 0.25
"""Seconds: of a limited lane a window takes no more than this much."""
_LEAST = 0.05
"""Messages a second; nobody is asked to wait longer than 20 s for one."""
_SETTLED, _STEP = timedelta(seconds=5), timedelta(seconds=10)
"""A second complaint within the first belongs to the same crowding; a step up is made after the other, without any."""
_STEPS, _FORGIVEN = 20, 4
"""Each step is such a part of what it was first slowed from; at so many times that it is forgotten."""
_LOOK = timedelta(seconds=1)
"""How soon a complaint that another sender heard is known here, too; a look costs 3 µs a message at full speed."""
_PEEP = timedelta(seconds=0.25)
"""How soon it is known that somebody more urgent has gone; who waits has time to look."""
_WORD, _LEAST_URGENT = timedelta(seconds=3), 1
"""How long the word of a sender is good that it is at work; the lowest priority goes ahead of nobody."""
_LONGEST_QUEUE, _WINDOWS = timedelta(seconds=75), 300
"""Or so many windows; a lane that is taken for longer than both is so by a clock that was wrong."""
# RFC 3463: X.4.5 speaks of congestion, X.3.2 of a server that takes nothing now.
_BUSY = re.compile(
    r"\b4\.(?:4\.5|3\.2)\b|\b(?:too (?:many|fast|much)|rates?|throttl\w*|slow down|congest\w*)\b", re.IGNORECASE
)
_ABOUT_ONE = re.compile(r"\bgr[ae]y-?list|\bmailbox\b|\bquota\b", re.IGNORECASE)
_QUOTED = re.compile(r"<[^>]*>|\S*@\S*|\S+\.\S+\.\S*[a-z]\S*", re.IGNORECASE)
"""Addresses and host names, whose letters say nothing."""


class Pace:
    """One sender's view of a lane. `limit` is what its owner allows, in messages a second; None for no limit.

    Senders of a lower `priority` (1 to 9) wait while this one takes time, but where it is `patient`; this one waits for
    those of a higher.
    """

    def __init__(
        self,
        lanes: Lanes,
        name: str,
        limit: float | None = None,
        priority: int = _LEAST_URGENT,
        patient: bool = False,
    ) -> None:
        self._lanes = lanes
        self._name = name
        self._limit = limit
        self._priority = priority
        self._silent = patient or priority <= _LEAST_URGENT
        self._lane: Lane | None = None
        self._looked: datetime | None = None

    @property
    def rate(self) -> float | None:
        """What is to be kept, in messages a second, as far as this sender knows; None where nothing is."""
        return self._rate(self._lane)

    def gives_way(self, now: datetime) -> bool:
        """Whether somebody more urgent is at work on the lane, as far as a look of the last second knows."""
        waits = self._lane is not None and self._before(self._lane, now)
        self._look(now, _PEEP if waits else _LOOK)
        return self._lane is not None and self._before(self._lane, now)

    def reserve(self, wanted: int, now: datetime) -> tuple[int, datetime]:
        """Take time on the lane for up to `wanted` messages: how many may leave, and from when on. None may while
        somebody more urgent is at work."""
        self._look(now)
        rate = self._rate(self._lane)
        if rate is None:
            if not self._announced(now):
                self._lane = self._change(lambda lane: self._announce(lane, now, now), now)
            return wanted, now
        granted = min(wanted, max(1, int(rate * _BURST)))
        takes = timedelta(seconds=granted / rate)

        def take(lane: Lane) -> Lane:
            if self._before(lane, now):
                return lane
            free = min(max(lane.free_at, now), now + max(_LONGEST_QUEUE, _WINDOWS * takes))
            return self._announce(replace(lane, free_at=free + takes), now, free)

        self._lane = self._change(take, now)
        return (0, now) if self._before(self._lane, now) else (granted, self._lane.free_at - takes)

    def leave(self, now: datetime) -> None:
        """There is no more work for now: nobody has to wait until the word of it is old."""
        lane = self._lane
        if not self._silent and lane is not None and lane.urgent == self._priority and self._heard(lane, now):

            def withdraw(lane: Lane) -> Lane:
                return replace(lane, urgent=None, urgent_at=None) if lane.urgent == self._priority else lane

            self._lane = self._change(withdraw, now)

    def throttled(self, rate: float, now: datetime) -> None:
        """The server complained while it got `rate` messages a second from this sender."""

        def slow(lane: Lane) -> Lane:
            if lane.rate is not None and _since(lane, now) < _SETTLED:
                return lane
            before = self._rate(lane) or rate
            most = max(before, lane.slowed_from or 0)
            return replace(lane, rate=max(before / 2, _LEAST), slowed_from=most, changed_at=now)

        self._lane = self._change(slow, now)
        if self._lane.changed_at == now:
            log.warning("%s asks for less mail: at most %.3g messages a second now", self._name, self._rate(self._lane))

    def welcome(self, now: datetime) -> None:
        """A window went through without complaint: a lane that was slowed may go a little faster."""
        lane = self._lane
        if lane is None or lane.rate is None or _since(lane, now) < _STEP:
            return

        def quicken(lane: Lane) -> Lane:
            if lane.rate is None or lane.slowed_from is None:
                return lane
            rate = lane.rate + lane.slowed_from / _STEPS
            if rate >= min(self._limit or rate + 1, lane.slowed_from * _FORGIVEN):
                return replace(lane, rate=None, slowed_from=None, changed_at=None)
            return replace(lane, rate=rate, changed_at=now)

        self._lane = self._change(quicken, now)

    def _look(self, now: datetime, kept: timedelta = _LOOK) -> None:
        if self._looked is None or not timedelta(0) <= now - self._looked < kept:
            self._lane, self._looked = self._lanes.find(self._name), now

    def _heard(self, lane: Lane, now: datetime) -> bool:
        """Whether the word of the most urgent sender is still good; not so one from a clock that was ahead."""
        return lane.urgent_at is not None and -_LONGEST_QUEUE <= now - lane.urgent_at < _WORD

    def _before(self, lane: Lane, now: datetime) -> bool:
        return lane.urgent is not None and lane.urgent > self._priority and self._heard(lane, now)

    def _announced(self, now: datetime) -> bool:
        """Whether the lane says already, by this second's word, that somebody as urgent is at work."""
        if self._silent:
            return True
        lane = self._lane
        if lane is None or lane.urgent is None or lane.urgent_at is None or lane.urgent < self._priority:
            return False
        return lane.urgent_at > now - _LOOK and self._heard(lane, now)

    def _announce(self, lane: Lane, now: datetime, at: datetime) -> Lane:
        if self._silent or self._before(lane, now):
            return lane
        return replace(lane, urgent=self._priority, urgent_at=at)

    def _change(self, step: Callable[[Lane], Lane], now: datetime) -> Lane:
        return self._lanes.change(self._name, Lane(free_at=now), step)

    def _rate(self, lane: Lane | None) -> float | None:
        slowed = lane.rate if lane is not None else None
        return min((rate for rate in (slowed, self._limit) if rate is not None), default=None)


def _since(lane: Lane, now: datetime) -> timedelta:
    """How long ago its rate was changed; long ago by a clock that was ahead."""
    passed = now - lane.changed_at if lane.changed_at is not None else _STEP
    return passed if passed >= timedelta(0) else _STEP


def throttles(outcome: Outcome) -> bool:
    """Whether a server's answer to one message speaks of how much we send, and not of that message."""
    if outcome.state is not DeliveryState.DEFERRED or outcome.code is None:
        return False
    words = _QUOTED.sub(" ", outcome.reply)
    return outcome.code == 421 or bool(_BUSY.search(words) and not _ABOUT_ONE.search(words))
