"""When to stop: a drain finishes what is under way and claims nothing more."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from newsletter.errors import TransportError
from newsletter.ports import Connection

__all__ = ["Drain", "drain_on_signals"]


_LOOK = 0.2
"""Seconds between two looks at reasons that come from elsewhere."""


class Drain:
    """Whether nothing more may be claimed: because it was begun, or because one of the `reasons` says so."""

    def __init__(self, *reasons: Callable[[], bool]) -> None:
        self._reasons = reasons
        self._event = asyncio.Event()

    def begin(self) -> None:
        """Finish what is under way and claim nothing more."""
        self._event.set()

    @property
    def begun(self) -> bool:
        """Whether nothing more may be claimed."""
        return self._event.is_set() or any(reason() for reason in self._reasons)

    async def race(self, connecting: Coroutine[Any, Any, Connection]) -> Connection:
        """What comes of dialling; raises `TransportError` when a drain begins before a server has answered."""
        dialled = asyncio.ensure_future(connecting)
        try:
            while not dialled.done():
                await asyncio.wait({dialled}, timeout=_LOOK)
                if self.begun and not dialled.done():
                    raise TransportError("nothing more is sent, so nobody waits for the mail server to answer")
            return dialled.result()
        finally:
            dialled.cancel()

    async def pause(self, seconds: float) -> None:
        """Sleep, but wake for a drain (whose reason may come from another thread, so it is asked for)."""
        end = time.monotonic() + seconds
        while not self.begun and (left := end - time.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._event.wait(), min(left, _LOOK))


@contextmanager
def drain_on_signals(drain: Drain) -> Iterator[None]:
    """Drain on the first SIGTERM or SIGINT; a second one does what it did before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            if loop.remove_signal_handler(number):
                signal.signal(number, handler)

    def first() -> None:
        restore()
        drain.begin()

    try:
        for number in before:
            loop.add_signal_handler(number, first)
    except (RuntimeError, ValueError, NotImplementedError):
        yield  # not the main thread: whoever started it stops it with `stop`
        return
    try:
        yield
    finally:
        restore()
