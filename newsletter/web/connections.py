"""One connection to the web process: whoever sends without end, or a letter a minute, is hung up on.

The server's own parser keeps whatever stands before a body, however long it is, and waits for ever; a URL that comes
in pieces costs it the square of its length, while everybody else waits.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["GRACE", "LEAST_RATE", "MOST_AROUND", "Connection"]

MOST_AROUND = 64 * 1024
"""Bytes around a body: request line, headers, trailers. A chunked body may have as many again as it has itself."""

GRACE, LEAST_RATE = 30.0, 1024.0
"""A request is to be here within so many seconds, and a second more for each of so many bytes that came."""

_LOOKS = 5.0


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with a limit on what a request may bring beside its body and on how long it may take."""

    _came = _body = 0
    _in_head = True
    _since: float | None = None
    _looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`; who says nothing at all is waited for as long as who says little."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._since is None:
            self._since = self.loop.time()
        self._came += len(data)
        super().data_received(data)
        if self._came - self._body > MOST_AROUND + self._body and not self.transport.is_closing():
            if self._in_head:
                self.send_400_response("The request is too long.")
            else:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """The first byte of a request was read."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; as a trailer behind the body, nobody judges by it (RFC 9110, section 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here; the next one is counted anew."""
        self._came = self._body = 0
        self._since = None
        super().on_message_complete()

    def _look(self) -> None:
        """Hang up where a request takes too long; looks again in a while."""
        if self.transport.is_closing():
            return
        if self._since is not None and self.loop.time() - self._since > GRACE + self._came / LEAST_RATE:
            self.transport.abort()
            return
        self._looking = self.loop.call_later(_LOOKS, self._look)
