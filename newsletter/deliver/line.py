"""One line to a mail server: bytes out, replies in, and nothing about what they mean."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from newsletter.deliver.replies import Reply, ReplyReader
from newsletter.errors import TransportError

__all__ = ["Line", "Listener"]

_BUFFER = 8192
_MOST_UNREAD = 32  # a chained message has at most five answers under way: RSET, MAIL, RCPT, DATA and the dot's


class Listener(Protocol):
    """Who is told of replies, one by one, for as long as it is `listening`."""

    @property
    def listening(self) -> bool: ...

    def heard(self, reply: Reply) -> None: ...

    def lost(self, why: str) -> None: ...


class Line(asyncio.BufferedProtocol):
    """A TCP or TLS connection that hands out replies one by one, in order: to who awaits `reply`, or to a listener.

    Once it is lost (hung up, timed out, out of bounds) it stays lost: `write` and, when all that had arrived is
    read, `reply` raise `TransportError` with the cause. asyncio sets TCP_NODELAY itself, without which STARTTLS
    was measured at 23 messages/s instead of 2,897; a test holds it to that. It reads into a buffer of its own, since
    asyncio else allocates 256 KB for each read, which cost 20 µs a message.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_BUFFER))  # asyncio's TLS writes to slices of it: not of a bytearray
        self._reader = ReplyReader()
        self._unread: deque[Reply] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._listener: Listener | None = None
        self._patience = 0.0
        self._deadline: float | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._lost: str | None = None
        self.timed_out = False
        self._transport: asyncio.Transport | None = None
        self._gone = self._loop.create_future()

    # --- called by asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._lost:
            return
        unread = self._unread
        unread += self._reader.feed(bytes(self._buffer[:nbytes]))
        listener = self._listener
        while listener is not None and unread and listener.listening:
            listener.heard(unread.popleft())
        if self._reader.fault:
            self._lose(self._reader.fault)
        elif len(unread) > _MOST_UNREAD:
            self._lose("the mail server floods us with replies that nobody asked for")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        why = f" ({exc})" if exc else ""
        self._lose(f"the mail server broke the line{why}")
        if not self._gone.done():
            self._gone.set_result(None)

    # --- called by the conversation ---

    @property
    def transport(self) -> asyncio.Transport:
        """asyncio's transport under this line."""
        assert self._transport is not None, "asyncio calls connection_made first"
        return self._transport

    @property
    def unsent(self) -> int:
        """How many of the bytes written have not even left this process."""
        return self.transport.get_write_buffer_size()

    @property
    def quiet(self) -> bool:
        """Whether the line stands, and the server has said nothing that was not read."""
        return self._lost is None and not self._unread and self._reader.empty

    def write(self, data: bytes) -> None:
        """Send bytes; raises `TransportError`, with nothing written, when the line is lost."""
        if self._lost:
            raise TransportError(self._lost)
        self.transport.write(data)

    async def reply(self, seconds: float) -> Reply:
        """The server's next reply; raises `TransportError` when the line is lost, or none comes in `seconds`."""
        self.expect(seconds)
        while not self._unread:
            if self._lost:
                raise TransportError(self._lost)
            self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        self._deadline = None
        return self._unread.popleft()

    @contextmanager
    def heard_by(self, listener: Listener) -> Iterator[None]:
        """Have a listener called with the replies as they are read, and once when the line is lost."""
        self._listener = listener
        try:
            yield
        finally:
            self._listener, self._deadline = None, None

    def expect(self, seconds: float) -> None:
        """Lose the line unless the server says something within so many seconds; each call takes the last one's place.

        One timer follows the deadline: setting one anew for each reply took 10 µs a message.
        """
        self._patience, self._deadline = seconds, self._loop.time() + seconds
        if self._alarm is None or self._deadline < self._alarm.when():
            self._set_alarm(self._deadline)

    async def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Turn the line into a TLS one; raises `OSError` or `ssl.SSLError` when that fails.

        Whatever was said before the handshake is not trusted after it (CVE-2011-0411).
        """
        if not self.quiet:
            raise TransportError("the mail server spoke between STARTTLS and the handshake; somebody may be listening")
        transport = await self._loop.start_tls(
            self.transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
        )
        if transport is None or not self.quiet:
            raise TransportError("the mail server spoke between STARTTLS and the handshake; somebody may be listening")
        self._transport = transport

    async def hang_up(self, seconds: float) -> None:
        """Close the line, for good after `seconds`; never raises."""
        if self._transport is not None:
            self._transport.close()
            await asyncio.wait((self._gone,), timeout=seconds)
            self._transport.abort()

    def _set_alarm(self, when: float | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._look_at_clock) if when is not None else None

    def _look_at_clock(self) -> None:
        if self._deadline is None or self._loop.time() < self._deadline:
            self._set_alarm(self._deadline)
            return
        self.timed_out = True
        self._lose(f"the mail server did not answer within {self._patience:g} s")

    def _lose(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
            self._set_alarm(None)
            if self._transport is not None:
                self._transport.abort()
            if self._listener is not None:
                self._listener.lost(why)
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
