"""The server's side of the conversation: bytes become replies (RFC 5321 section 4.2), within bounds."""

from __future__ import annotations

import re
from functools import lru_cache

from newsletter.errors import TransportError

__all__ = ["Reply", "ReplyReader"]

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_LONGEST_LINE = 4096  # RFC 5321 section 4.5.3.1.5 says 512; some servers talk longer
_MOST_LINES = 200


class Reply:
    """One answer of the server: the code, whether that is a 2xx, and its lines without codes."""

    __slots__ = ("code", "good", "lines", "text")

    def __init__(self, code: int, lines: tuple[bytes, ...]) -> None:
        self.code = code
        self.good = 200 <= code < 300
        self.lines = lines
        words = " ".join(line.decode("utf-8", "replace") for line in lines)
        self.text = f"{code} {''.join(c if c.isprintable() else ' ' for c in words)}".strip()
        """The server's own words on one line, code included, fit to be shown."""


class ReplyReader:
    """Cuts what arrives into replies, up to what no mail server says."""

    def __init__(self) -> None:
        self.fault = ""
        """Why what came after the last whole reply cannot be read; nothing more is read then."""
        self._partial = b""
        self._lines: list[bytes] = []

    @property
    def empty(self) -> bool:
        """Whether nothing was read that is no whole reply."""
        return not (self._partial or self._lines or self.fault)

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes, in order; those before a fault are as good as any."""
        replies: list[Reply] = []
        try:
            self._read(data, replies)
        except TransportError as error:
            self.fault = str(error)
        return replies

    def _read(self, data: bytes, replies: list[Reply]) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            reply, more = _read(line)
            if more or self._lines:
                self._lines.append(reply.lines[0])
                if len(self._lines) > _MOST_LINES:
                    raise TransportError("an answer without end is no SMTP reply; is it a mail server?")
                if more:
                    continue
                reply, self._lines = Reply(reply.code, tuple(self._lines)), []
            replies.append(reply)
        if len(self._partial) > _LONGEST_LINE:
            raise TransportError("the mail server sent a line without end; is it a mail server?")


@lru_cache(256)  # a server answers most commands with the same words
def _read(line: bytes) -> tuple[Reply, bool]:
    """One line of a reply, and whether more follow it."""
    line = line.removesuffix(b"\r")
    match = _LINE.fullmatch(line)
    if match is None or len(line) > _LONGEST_LINE:
        raise TransportError(f"the mail server sent {line[:60]!r}, which is no SMTP reply; is it a mail server?")
    return Reply(int(match[1]), (match[3] or b"",)), match[2] == b"-"
