"""The server's side of the conversation: bytes become replies (RFC 5321 section 4.2), within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.errors import TransportError

__all__ = ["Reply", "ReplyReader"]

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_LONGEST_LINE = 4096  # RFC 5321 section 4.5.3.1.5 says 512; some servers talk longer
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server: the code, and its lines without codes."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def good(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.code < 300

    @property
    def text(self) -> str:
        """The server's own words on one line, code included, fit to be shown."""
        words = " ".join(line.decode("utf-8", "replace") for line in self.lines)
        return f"{self.code} {''.join(c if c.isprintable() else ' ' for c in words)}".strip()


class ReplyReader:
    """Cuts what arrives into replies; raises `TransportError` on what no mail server says."""

    def __init__(self) -> None:
        self._partial = b""
        self._lines: list[bytes] = []

    @property
    def empty(self) -> bool:
        """Whether no reply has begun that is not whole yet."""
        return not self._partial and not self._lines

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes, in order."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            if reply := self._take(line.removesuffix(b"\r")):
                yield reply
        if len(self._partial) > _LONGEST_LINE:
            raise TransportError("the mail server sent a line without end; is it a mail server?")

    def _take(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line)
        if match is None or len(line) > _LONGEST_LINE or len(self._lines) >= _MOST_LINES:
            raise TransportError(f"the mail server sent {line[:60]!r}, which is no SMTP reply; is it a mail server?")
        self._lines.append(match[3] or b"")
        if match[2] == b"-":
            return None
        lines, self._lines = tuple(self._lines), []
        return Reply(int(match[1]), lines)
