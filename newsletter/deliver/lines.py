"""The lines to one mail server, shared by the issues that one process sends at the same time.

`connections` of `NEWSLETTER_SMTP_URL` is what the server takes from one process. So each line is borrowed: by the most
urgent first, in equal shares among equals, and in turns where there are more issues than lines. Each issue is sent on a
thread and an event loop of its own, so nobody waits here: who gets no line now asks again, as people do at a counter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from newsletter.model import Message, Outcome
from newsletter.ports import Connection

__all__ = ["Borrowed", "Lines", "Share"]

_TURN = 2.0
"""Seconds that an issue keeps its only line where others have none: a dial and a handshake are little beside that."""


class Lines:
    """So many lines for all; usable from any thread."""

    def __init__(self, most: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.seconds = seconds
        self.lock = threading.Lock()
        self.shares: list[Share] = []

    @contextmanager
    def share(self, priority: int, patient: bool = False) -> Iterator[Share]:
        """The share of an issue that has mail to carry, for as long as it has.

        Who has a lower `priority` (1 to 9) gets no line meanwhile, but where this one is `patient`.
        """
        share = Share(self, priority, patient)
        with self.lock:
            self.shares.append(share)
        try:
            yield share
        finally:
            with self.lock:
                self.shares.remove(share)


class Share:
    """What one issue has of the lines, and how many of its carriers wait for one."""

    def __init__(self, lines: Lines, priority: int, patient: bool) -> None:
        self._lines = lines
        self._priority = priority
        self._patient = patient
        self._held = 0
        self._returning = 0  # of these, that were called back and are being closed
        self._waiting = 0
        self._since = lines.seconds()  # it got its last line, or has waited for its first one

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """A carrier asks for a line during the block."""
        with self._lines.lock:
            if not self._held and not self._waiting:
                self._since = self._lines.seconds()
            self._waiting += 1
        try:
            yield
        finally:
            with self._lines.lock:
                self._waiting -= 1

    def take(self) -> bool:
        """Borrow a line, if it is ours to have."""
        lines = self._lines
        with lines.lock:
            free = lines.most - sum(each._held for each in lines.shares)
            ahead = sum(each._goes_before(self) for each in self._others())
            if free <= ahead or self._outranked():
                return False
            self._held += 1
            self._since = lines.seconds()
            return True

    def give_back(self) -> None:
        """The line is closed."""
        with self._lines.lock:
            self._held -= 1
            self._returning = max(0, self._returning - 1)
            if not self._held:
                self._since = self._lines.seconds()

    def called_back(self) -> bool:
        """Whether the caller is to close its line now, because somebody else is to have it."""
        with self._lines.lock:
            called = self._outranked() or self._missing() > sum(each._returning for each in self._lines.shares)
            self._returning += called
            return called

    def _missing(self) -> int:
        """How many lines of ours our peers are waiting for with better reason."""
        if sum(each._held for each in self._lines.shares) < self._lines.most:
            return 0
        fair = self._fair()
        if self._held - self._returning > fair:
            return sum(min(each._waiting, max(0, fair - each._held)) for each in self._peers())
        if self._lines.seconds() - self._since < _TURN:
            return 0
        return sum(bool(each._waiting and not each._held) for each in self._peers())

    def _goes_before(self, other: Share) -> bool:
        """Whether we wait for a line that is ours rather than the other's: who has fewer, then who has waited."""
        if not self._waiting or self._priority != other._priority:
            return self._waiting > 0 and self._priority > other._priority
        return (self._held, self._since) < (other._held, other._since)

    def _others(self) -> list[Share]:
        return [each for each in self._lines.shares if each is not self]

    def _peers(self) -> list[Share]:
        return [each for each in self._others() if each._priority == self._priority]

    def _outranked(self) -> bool:
        return any(each._priority > self._priority and not each._patient for each in self._lines.shares)

    def _fair(self) -> int:
        """Our part of the lines; those who are less urgent have none now."""
        return max(1, self._lines.most // (len(self._peers()) + 1))


class Borrowed:
    """A `Connection` on a borrowed line, which is given back when it is closed."""

    def __init__(self, connection: Connection, share: Share) -> None:
        self._connection = connection
        self._share = share

    async def carry(
        self,
        window: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Hand over the window; see `Connection.carry`."""
        await self._connection.carry(window, settle, leaving)

    async def close(self) -> None:
        """Hang up, and let somebody else have the line."""
        try:
            await self._connection.close()
        finally:
            self._share.give_back()
