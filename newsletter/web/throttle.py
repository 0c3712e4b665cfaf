"""A brake on guessing: so many failures in so long, per address and network address."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

__all__ = ["Throttle"]

MOST_KEYS = 10_000


class Throttle:
    """Counts failures per key over the last `seconds`; in this process's memory, on the system's own clock.

    When there are more keys than it can hold, the oldest are forgotten first.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._failures: dict[Hashable, list[float]] = {}
        self._lock = threading.Lock()

    def wait(self, key: Hashable) -> float:
        """How many seconds until the key may try again; 0 when it may now."""
        now = self._clock()
        with self._lock:
            recent = self._recent(key, now)
        return recent[-self._limit] + self._seconds - now if len(recent) >= self._limit else 0.0

    def fail(self, key: Hashable) -> None:
        """Count one failure."""
        now = self._clock()
        with self._lock:
            recent = self._recent(key, now)
            self._failures.pop(key, None)
            self._failures[key] = [*recent[-self._limit :], now]
            while len(self._failures) > MOST_KEYS:
                self._failures.pop(next(iter(self._failures)))

    def forgive(self, key: Hashable) -> None:
        """Forget the key's failures."""
        with self._lock:
            self._failures.pop(key, None)

    def _recent(self, key: Hashable, now: float) -> list[float]:
        return [at for at in self._failures.get(key, ()) if now - at < self._seconds]
