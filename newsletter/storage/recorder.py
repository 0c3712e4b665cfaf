"""The flight recorder: what a sender knew of its messages in flight, readable after kill -9.

A memory-mapped file per sender, locked for as long as that lives, 16 bytes a message from the moment its final dot is
about to be written until its outcome is committed. Writing to it is writing to memory; the kernel keeps the page when
the process dies. After a power loss the boot id differs, and the file says nothing.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import StorageError
from newsletter.model import DeliveryState, Outcome

__all__ = ["FlightRecorder", "Flown", "abandoned", "read_flight", "sweep_drafts"]

_MAGIC = b"flight-1"
_HEADER = struct.Struct("<8s36s")
_ENTRY = struct.Struct("<qHB5x")  # delivery (0: free), the server's code, mark
_OLD = 3600.0
_FIRST = 64
_ENTRIES = 131_072  # more than 200 connections (the most) times a window of 500
_LEAVING, _SUBMITTED, _DEFERRED, _REJECTED = 1, 2, 3, 4
_MARKS = {
    DeliveryState.SUBMITTED: _SUBMITTED,
    DeliveryState.DEFERRED: _DEFERRED,
    DeliveryState.REJECTED: _REJECTED,
}
_STATES = {mark: state for state, mark in _MARKS.items()} | {_LEAVING: DeliveryState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Flown:
    """What the recorder held of one message: unknown when its dot was leaving and no answer had come."""

    state: DeliveryState
    code: int | None


class FlightRecorder:
    """The recorder of one sender, in `path`; used by one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        draft = path.with_suffix(".new")  # nobody sees the recorder without its lock
        try:
            path.parent.mkdir(exist_ok=True)
            self._file = draft.open("x+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Really there, and not only promised: a write to memory that finds no room on the disk is a SIGBUS.
            os.posix_fallocate(self._file.fileno(), 0, _FIRST + _ENTRIES * _ENTRY.size)
            self._memory = mmap.mmap(self._file.fileno(), 0)
            draft.rename(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise StorageError(f"{path} cannot be written ({error.strerror}); make room or mend its rights") from error
        _HEADER.pack_into(self._memory, 0, _MAGIC, _boot_id())
        self._free = list(range(_ENTRIES))
        self._places: dict[int, int] = {}

    def leaving(self, delivery: int) -> None:
        """The final dot of the message is about to be written."""
        place = self._places[delivery] = self._free.pop()
        _ENTRY.pack_into(self._memory, _FIRST + place * _ENTRY.size, delivery, 0, _LEAVING)

    def answered(self, outcome: Outcome) -> None:
        """The server's answer has been read."""
        place, mark = self._places.get(outcome.delivery), _MARKS.get(outcome.state)
        if place is not None and mark is not None:
            _ENTRY.pack_into(self._memory, _FIRST + place * _ENTRY.size, outcome.delivery, outcome.code or 0, mark)

    def forget(self, deliveries: Iterable[int]) -> None:
        """The outcomes of these are committed."""
        for delivery in deliveries:
            place = self._places.pop(delivery, None)
            if place is not None:
                _ENTRY.pack_into(self._memory, _FIRST + place * _ENTRY.size, 0, 0, 0)
                self._free.append(place)

    def close(self, keep: bool) -> None:
        """End; `keep` leaves the file for whoever settles what was not committed."""
        self._memory.close()
        if not keep:
            self._path.unlink(missing_ok=True)
        self._file.close()


@contextmanager
def abandoned(path: Path) -> Iterator[bool]:
    """Whether the sender of a recorder is dead, as far as this machine can tell; held so for the length of the block.

    A sender whose database session broke lives on, and knows what it sends: its recorder's lock says so.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield True
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def read_flight(path: Path) -> Mapping[int, Flown] | None:
    """What a dead sender's recorder held, by delivery; None where there is none of this boot: nothing is known then.

    A delivery that is not in it never had its dot written.
    """
    try:
        data = path.read_bytes()
        magic, boot = _HEADER.unpack_from(data)
    except (OSError, struct.error):
        return None
    if magic != _MAGIC or not boot.strip(b"\0") or boot != _boot_id():
        return None
    flown: dict[int, Flown] = {}
    for delivery, code, mark in _ENTRY.iter_unpack(data[_FIRST:]):
        if delivery and mark in _STATES:
            flown[delivery] = Flown(_STATES[mark], code or None)
    return flown


def sweep_drafts(folder: Path) -> None:
    """Throw away recorders whose makers died before they were whole; those of the last hour may become so yet."""
    for draft in folder.glob("*.new"):
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _OLD:
                draft.unlink()


def _boot_id() -> bytes:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip().ljust(36, b"\0")[:36]
    except OSError:
        return bytes(36)
