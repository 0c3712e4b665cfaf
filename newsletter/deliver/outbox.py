"""The built-in outbox: mail is kept as `.eml` files in a folder instead of leaving the machine."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from newsletter.errors import TransportError
from newsletter.files import replace_file
from newsletter.model import DeliveryState, Message, Outcome

__all__ = ["OutboxTransport"]

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_UNSAFE = re.compile(r"[^A-Za-z0-9@+_-]+")
_LONGEST_NAME = 100


class OutboxTransport:
    """The `Transport` that writes one file a message into `folder`, which is made when mail comes."""

    name = "outbox"
    leaves_machine = False
    connections = 1
    per_connection: int | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def connect(self) -> _OutboxConnection:
        """Make the folder; raises `TransportError` when that cannot be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for place in self.folder.parents[:2]:
                _force_entries(place)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        return _OutboxConnection(self.folder)


class _OutboxConnection:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def carry(
        self,
        window: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Write the window durably; a message is settled once its file and the folder's entry are on disk."""
        written, problem = await asyncio.to_thread(self._write_all, list(window))
        for message, path in written:
            settle(Outcome(message.delivery, DeliveryState.SUBMITTED, 250, f"250 written to {path.name}"))
        if problem:
            raise _cannot_write(self._folder, problem) from problem

    async def close(self) -> None:
        """Nothing stays open between two windows."""

    def _write_all(self, window: Sequence[Message]) -> tuple[list[tuple[Message, Path]], OSError | None]:
        written: list[tuple[Message, Path]] = []
        problem: OSError | None = None
        try:
            for message in window:
                data = message.data
                path = self._folder / _file_name(message, data)
                replace_file(path, data, mode=0o600)  # links in it speak for its reader
                written.append((message, path))
        except OSError as error:
            problem = error
        try:
            _force_entries(self._folder)
        except OSError as error:
            return [], error
        return written, problem


def _force_entries(folder: Path) -> None:
    """A new file survives a power loss only once its folder's entry is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_name(message: Message, data: bytes) -> str:
    """`ADDRESS-HASH.eml`; the hash is the Message-ID's, so a message written twice is one file."""
    found = _MESSAGE_ID.search(data)
    digest = hashlib.sha256(found[1] if found else data).hexdigest()[:12]
    address = ".".join(_UNSAFE.sub("_", part) for part in message.envelope_to.split(".") if part)
    return f"{address[:_LONGEST_NAME].lstrip('-')}-{digest}.eml"


def _cannot_write(folder: Path, error: OSError) -> TransportError:
    return TransportError(f"the outbox {folder} cannot be written: {error.strerror}; make room or mend its rights")
