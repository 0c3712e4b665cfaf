"""What a mailbox of bounces has to offer, and which ones there are.

A mailbox is asked by one process at a time. A message is put away only once what it says has been committed: who dies
in between reads it again, and that changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from subscribers.errors import RefusedError, SubscriberError

__all__ = ["DONE", "UNCLEAR", "Mailbox", "MailboxError", "open_mailbox"]

DONE, UNCLEAR = "done", "unclear"
"""Folders for what was understood, and for what a person may want to look at."""


class MailboxError(SubscriberError):
    """The mailbox cannot be reached, or refuses us; it is tried again at the next poll."""


class Mailbox(Protocol):
    """Messages that wait. Raises `MailboxError`."""

    def messages(self, most: int) -> Iterator[tuple[str, bytes]]:
        """Up to `most` messages that were not put away, the oldest first, each with its name; cut at 1 MiB."""

    def put_away(self, name: str, folder: str) -> None:
        """Move a message into the folder `DONE` or `UNCLEAR` beside the mailbox; nothing is deleted."""


def open_mailbox(address: str, password: str | None) -> AbstractContextManager[Mailbox]:
    """The mailbox at `maildir:/path` or `imaps://user@host:port/FOLDER`; raises `RefusedError` for no password."""
    parts = urlsplit(address)
    if parts.scheme == "maildir":
        from subscribers.bounces.maildir import Maildir

        return Maildir(Path(unquote(parts.path)))
    from subscribers.bounces.imap import ImapFolder

    if password is None:
        raise RefusedError("the mailbox of bounces needs a password")
    return ImapFolder(parts, password)
