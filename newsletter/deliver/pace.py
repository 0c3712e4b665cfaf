"""How fast messages leave: under the rate that the relay's owner allows, and slower when the server says so.

A lane is one mail server, whoever sends to it: its row is shared by all senders, processes and hosts. A window takes
its time on the lane before it is claimed, which is the generic cell rate algorithm (ITU-T I.371) with whole windows for
cells. On throttling the rate is halved for all at once, and then it grows by small steps, as TCP's does (RFC 5681).
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
    """One sender's view of a lane. `limit` is what its owner allows, in messages a second; None for no limit."""

    def __init__(self, lanes: Lanes, name: str, limit: float | None = None) -> None:
        self._lanes = lanes
        self._name = name
        self._limit = limit
        self._lane: Lane | None = None
        self._looked: datetime | None = None

    @property
    def rate(self) -> float | None:
        """What is to be kept, in messages a second, as far as this sender knows; None where nothing is."""
        return self._rate(self._lane)

    def reserve(self, wanted: int, now: datetime) -> tuple[int, datetime]:
        """Take time on the lane for up to `wanted` messages: how many may leave, and from when on."""
        if self._looked is None or not timedelta(0) <= now - self._looked < _LOOK:
            self._lane, self._looked = self._lanes.find(self._name), now
        rate = self._rate(self._lane)
        if rate is None:
            return wanted, now
        granted = min(wanted, max(1, int(rate * _BURST)))
        takes = timedelta(seconds=granted / rate)

        def take(lane: Lane) -> Lane:
            free = min(max(lane.free_at, now), now + max(_LONGEST_QUEUE, _WINDOWS * takes))
            return replace(lane, free_at=free + takes)

        self._lane = self._change(take, now)
        return granted, self._lane.free_at - takes

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
                return Lane(free_at=lane.free_at)
            return replace(lane, rate=rate, changed_at=now)

        self._lane = self._change(quicken, now)

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
