"""Clicks on their way into the figures: remembered for seconds, judged together, then added up.

Nothing is written while a link is followed. Every process judges what it was asked itself, and counts when it ends.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from newsletter.errors import NewsletterError
from newsletter.newsroom.readership.sweeps import QUIET, Followed, Sweeps
from newsletter.storage import Clicks, Link

__all__ = ["ClickCounter"]

_log = logging.getLogger(__name__)

Sums = dict[tuple[str, datetime], tuple[int, int]]


class ClickCounter:
    """Counts what this process was asked for; safe to share between threads. A thread of its own wakes while anything
    waits, and only then."""

    def __init__(self, clicks: Clicks, clock: Callable[[], float] = time.monotonic) -> None:
        self._clicks = clicks
        self._clock = clock
        self._sweeps = Sweeps()
        self._sums: Sums = defaultdict(lambda: (0, 0))
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False

    def follow(self, network: str, link: Link, now: datetime, *, scanner: bool) -> None:
        """Remember that somebody of that network followed the link."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if scanner:
                self._add([Followed(link.key, hour, swept=True)])
            else:
                self._add(self._sweeps.note(network, link, hour, self._clock()))
            self._wake()

    def settle(self) -> None:
        """Count what can be judged by now."""
        with self._lock:
            self._add(self._sweeps.settled(self._clock()))
        self._write()

    def close(self) -> None:
        """Count all that is left, judged by what is there of it."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._add(self._sweeps.rest())
        self._write()

    def _add(self, followed: Iterable[Followed]) -> None:
        for each in followed:
            clicks, scanned = self._sums[each.key, each.hour]
            self._sums[each.key, each.hour] = (clicks + (not each.swept), scanned + each.swept)

    def _write(self) -> None:
        with self._writing:
            with self._lock:
                sums, self._sums = self._sums, defaultdict(lambda: (0, 0))
            if not sums:
                return
            try:
                self._clicks.count(sums)
            except NewsletterError as error:  # the database is away: the next turn adds them
                _log.warning("clicks could not be counted, and will be later: %s", error)
                with self._lock:
                    for key, (clicks, scanned) in sums.items():
                        more, swept = self._sums[key]
                        self._sums[key] = (more + clicks, swept + scanned)

    def _wake(self) -> None:
        if self._timer is None and not self._closed and (self._sums or len(self._sweeps)):
            self._timer = threading.Timer(QUIET, self._turn)
            self._timer.daemon = True
            self._timer.start()

    def _turn(self) -> None:
        try:
            self.settle()
        finally:
            with self._lock:
                self._timer = None
                self._wake()
