"""The mail that the outbox transport caught: folders of an issue each, one `.eml` a message.

Every name comes from an address that a person can type, so each part of a path is opened by itself, inside the
folder before it, and a symbolic link is never followed: there is no path to escape with.
"""

from __future__ import annotations

import email
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from newsletter.errors import NotFoundError

__all__ = ["Caught", "Folder", "folders", "messages", "part", "read_message"]

LARGEST_BYTES = 20 * 1024 * 1024
HEADER_BYTES = 16 * 1024

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9@+_.-]{0,200}", re.ASCII)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A fifo would make a plain open wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Folder:
    """The mail of one issue: its path in the outbox, how many messages, when the last came."""

    path: str
    count: int
    latest: datetime


@dataclass(frozen=True, slots=True)
class Caught:
    """One message in a list: file name, whom it is for, what it says it is."""

    file: str
    to: str
    subject: str
    size: int


def folders(outbox: Path) -> list[Folder]:
    """Every folder with mail, the latest first."""
    found = [_folder(outbox, path) for path in _folder_paths(outbox)]
    return sorted((folder for folder in found if folder.count), key=lambda each: each.latest, reverse=True)


def messages(outbox: Path, path: Sequence[str], start: int, limit: int) -> tuple[list[Caught], int]:
    """Up to `limit` messages of a folder from position `start` by file name, and how many there are in all."""
    with _inside(outbox, path) as folder:
        names = sorted(entry.name for entry in _mail_files(folder))
        return [_caught(folder, name) for name in names[start : start + limit]], len(names)


def read_message(outbox: Path, path: Sequence[str], file: str) -> bytes:
    """The bytes of one message; raises `NotFoundError` for whatever is no mail file in that folder."""
    with _inside(outbox, path) as folder:
        return _read(folder, file, LARGEST_BYTES)


def part(message: EmailMessage, kind: str) -> str:
    """The text of the message's `html` or `plain` part; empty when it has none."""
    found = message.get_body((kind,))
    if found is None:
        return ""
    data = found.get_payload(decode=True)
    charset = found.get_content_charset("utf-8")
    try:
        return data.decode(charset, errors="replace") if isinstance(data, bytes) else ""
    except LookupError:
        return data.decode("utf-8", errors="replace") if isinstance(data, bytes) else ""


def _folder_paths(outbox: Path) -> Iterator[tuple[str, str]]:
    if not outbox.is_dir():
        return
    with _inside(outbox, ()) as top:
        for first in _subfolders(top):
            with _inside(outbox, (first,)) as middle:
                yield from ((first, second) for second in _subfolders(middle))


def _folder(outbox: Path, path: Sequence[str]) -> Folder:
    with _inside(outbox, path) as folder:
        times = [entry.stat(follow_symlinks=False).st_mtime for entry in _mail_files(folder)]
    return Folder("/".join(path), len(times), datetime.fromtimestamp(max(times, default=0), UTC))


def _caught(folder: int, name: str) -> Caught:
    message = _parse(_read(folder, name, HEADER_BYTES))
    size = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
    return Caught(name, str(message.get("To", "")), str(message.get("Subject", "")), size)


def _parse(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=default)


def _subfolders(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if _NAME.fullmatch(e.name) and e.is_dir(follow_symlinks=False))


def _mail_files(folder: int) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if _is_mail_name(entry.name) and entry.is_file(follow_symlinks=False)]


def _is_mail_name(name: str) -> bool:
    return name.endswith(".eml") and _NAME.fullmatch(name) is not None


@contextmanager
def _inside(outbox: Path, path: Sequence[str]) -> Iterator[int]:
    """A folder of the outbox as an open descriptor; raises `NotFoundError`."""
    try:
        folder = os.open(outbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for name in path:
            above = folder
            try:
                if not _NAME.fullmatch(name):
                    raise FileNotFoundError(name)
                folder = os.open(name, _FOLDER, dir_fd=above)
            finally:
                os.close(above)
    except OSError:
        raise NotFoundError(f"the outbox has no folder {'/'.join(path)}") from None
    try:
        yield folder
    finally:
        os.close(folder)


def _read(folder: int, name: str, limit: int) -> bytes:
    try:
        if not _is_mail_name(name):
            raise FileNotFoundError(name)
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        raise NotFoundError(f"the outbox has no message {name}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotFoundError(f"{name} in the outbox is no file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)
