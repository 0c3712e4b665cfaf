"""A folder of an IMAP server (RFC 9051, RFC 3501), over TLS that is verified."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, unquote

from subscribers.bounces.mailbox import MailboxError
from subscribers.bounces.mime import MOST_BYTES

__all__ = ["ImapFolder"]

_IMAPS = 993
_SECONDS = 30.0
_SEEN = "NewsletterRead"
"""A keyword of ours: where nothing can be moved, it tells what was read; people's own reading changes nothing."""

_DELIMITER = re.compile(rb'\(.*?\) (?:"(\\?.)"|NIL) ')


class ImapFolder:
    """What is put away is moved into a folder below this one (RFC 6851), or copied and marked where it cannot be.

    The address is `imaps://user@host:port/FOLDER?cafile=PATH`, INBOX without a folder.
    """

    def __init__(self, address: SplitResult, password: str) -> None:
        self._address = address
        self._password = password
        self._folder = unquote(address.path.strip("/")) or "INBOX"
        self._made: set[str] = set()

    def messages(self, most: int) -> Iterator[tuple[str, bytes]]:
        """See `Mailbox`; a message is named by its UID."""
        (found,) = self._ask("UID", "SEARCH", "UNDELETED", "UNKEYWORD", _SEEN)
        for number in (found or b"").split()[:most]:
            uid = number.decode()
            for piece in self._ask("UID", "FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES}>)"):
                if isinstance(piece, tuple):
                    yield uid, piece[1]

    def put_away(self, name: str, folder: str) -> None:
        """See `Mailbox`. The keyword comes first: who dies before the move does not read it again for ever."""
        self._ask("UID", "STORE", name, "+FLAGS", rf"({_SEEN} \Seen)")
        target = self._below(folder)
        if "MOVE" in self._server.capabilities:
            self._ask("UID", "MOVE", name, target)
        else:
            self._ask("UID", "COPY", name, target)
            self._ask("UID", "STORE", name, "+FLAGS", r"(\Deleted)")

    def _below(self, folder: str) -> str:
        """The name of a folder below ours, as IMAP quotes it; it is made when it is first needed."""
        (listed, *_) = self._ask("LIST", '""', '""')
        match = _DELIMITER.match(listed if isinstance(listed, bytes) else b"")
        delimiter = match[1].decode().removeprefix("\\") if match and match[1] else "/"
        name = _quoted(f"{self._folder}{delimiter}{folder}")
        if name not in self._made:
            with suppress(MailboxError):  # it is there already
                self._ask("CREATE", name)
            self._made.add(name)
        return name

    def _ask(self, command: str, *words: str) -> list[Any]:
        try:
            if command == "UID":
                kind, data = self._server.uid(*words)
            else:
                kind, data = getattr(self._server, command.lower())(*words)
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(f"the mailbox of bounces: {_plain(error)}") from None
        if kind != "OK":
            raise MailboxError(f"the mailbox of bounces answered {kind} to {command} {' '.join(words[:1])}")
        return data

    def __enter__(self) -> Self:
        address = self._address
        cafile = parse_qs(address.query).get("cafile", [None])[0]
        try:
            context = ssl.create_default_context(cafile=cafile)
            host, port = address.hostname or "", address.port or _IMAPS
            self._server = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=_SECONDS)
            self._server.login(unquote(address.username or ""), self._password)
            kind, _ = self._server.select(_quoted(self._folder))
        except (imaplib.IMAP4.error, OSError) as error:
            self.__exit__(None, None, None)
            raise MailboxError(f"the mailbox of bounces at {address.hostname}: {_plain(error)}") from None
        if kind != "OK":
            self.__exit__(None, None, None)
            raise MailboxError(f"the mailbox of bounces has no folder {self._folder}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(imaplib.IMAP4.error, OSError, AttributeError):
            self._server.logout()


def _quoted(name: str) -> str:
    """A folder's name as a quoted string; letters beyond ASCII as RFC 3501 writes them are for the address to name."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(error: Exception) -> str:
    words = error.args[0] if error.args else type(error).__name__
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(error)
    return " ".join(text.split())[:200]
