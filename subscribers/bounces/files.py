"""Messages in files: one in an `.eml`, many in an mbox, one a file in a Maildir or a folder of `.eml` files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from subscribers.bounces.mime import MOST_BYTES

__all__ = ["Found", "messages_in", "size_of"]


@dataclass(frozen=True, slots=True)
class Found:
    """One message and where it stands, or why it could not be read; `read` is how many bytes were gone through."""

    name: str
    data: bytes = b""
    fault: str = ""
    read: int = 0


def size_of(path: Path) -> int:
    """How many bytes stand at a path; 0 where nobody can say."""
    try:
        return sum(file.stat().st_size for file in _files(path))
    except OSError:
        return 0


def messages_in(path: Path) -> Iterator[Found]:
    """Every message at a path, in order, each cut at 1 MiB; nothing is changed there, and a fault costs itself only."""
    try:
        files = _files(path)
    except OSError as error:
        yield Found(str(path), fault=error.strerror or "cannot be read")
        return
    if not files and path.is_dir():
        yield Found(str(path), fault="a folder without .eml files, and no Maildir (cur and new)")
    for file in files:
        try:
            yield from _messages(file)
        except OSError as error:
            yield Found(str(file), fault=error.strerror or "cannot be read")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        path.stat()
        return [path]
    if (path / "cur").is_dir() and (path / "new").is_dir():
        return sorted(file for part in ("new", "cur") for file in (path / part).iterdir() if _is_one(file))
    return sorted(file for file in path.iterdir() if file.suffix.lower() == ".eml" and _is_one(file))


def _is_one(file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and not file.name.startswith(".")


def _messages(file: Path) -> Iterator[Found]:
    """A file that begins with an mbox's `From ` is split at such lines behind an empty one (RFC 4155)."""
    with file.open("rb") as stream:
        first = stream.readline(MOST_BYTES)
        if not first.startswith(b"From "):
            data = first + stream.read(MOST_BYTES)
            yield Found(str(file), data, "" if data.strip() else "it is empty", file.stat().st_size)
            return
        number, kept, length, behind_empty, read = 1, [first], len(first), False, len(first)
        while line := stream.readline(MOST_BYTES):
            if behind_empty and line.startswith(b"From "):
                yield Found(f"{file}:{number}", b"".join(kept), read=read)
                number, kept, length, read = number + 1, [], 0, 0
            if length < MOST_BYTES:
                kept.append(line)
            length, read = length + len(line), read + len(line)
            behind_empty = not line.strip(b"\r\n")
        yield Found(f"{file}:{number}", b"".join(kept), read=read)
