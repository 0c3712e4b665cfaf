"""One line to a mail server: bytes out, replies in, and nothing about what they mean."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import cast

from newsletter.deliver.replies import Reply, ReplyReader
from newsletter.errors import TransportError

__all__ = ["Line"]

_BUFFER = 8192
_MOST_UNREAD = 32  # a chained message has at most five answers under way: RSET, MAIL, RCPT, DATA and the dot's


class Line(asyncio.BufferedProtocol):
    """A TCP or TLS connection that hands out replies one by one, in order, to one reader at a time.

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
        try:
            self._unread.extend(self._reader.feed(bytes(self._buffer[:nbytes])))
        except TransportError as error:
            self._lose(str(error))
        if len(self._unread) > _MOST_UNREAD:
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
        while not self._unread:
            if self._lost:
                raise TransportError(self._lost)
            self._waiting = self._loop.create_future()
            late = self._loop.call_later(seconds, self._late, seconds)
            try:
                await self._waiting
            finally:
                late.cancel()
                self._waiting = None
        return self._unread.popleft()

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

    def _late(self, seconds: float) -> None:
        self.timed_out = True
        self._lose(f"the mail server did not answer within {seconds:g} s")

    def _lose(self, why: str) -> None:
        if self._lost is None:
            self._lost = why
            if self._transport is not None:
                self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
