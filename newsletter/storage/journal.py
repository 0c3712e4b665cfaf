"""The journal: which deliveries left from this desk and what became of them, kept beside the database and not in it.

A database that is restored from an old backup has forgotten a part of what was sent, and would send it again. So every
turn of a sender is also a line here, numbered as in the issue's progress: a database whose number is lower than the
journal's is an old one. One file an issue, only ever added to; 1,000,000 deliveries take about half a megabyte.

A line is written after its commit and before anything of it leaves, so what is not in the journal never left.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from newsletter.errors import InputError, StorageError
from newsletter.model import DeliveryState, IssueId

__all__ = ["Journal", "JournalTurn", "JournalWriter"]

_SUFFIX = ".jsonl"
_TAIL = 65_536  # bytes; more than the line of a window of 500 whose numbers never follow one another


@dataclass(frozen=True, slots=True)
class JournalTurn:
    """One turn of a sender: deliveries it took in hand, and what became of those of an earlier turn."""

    turn: int
    taken: tuple[int, ...]
    settled: Mapping[DeliveryState, tuple[int, ...]]


class JournalWriter:
    """A sender's hand on the journal of one issue. The first line makes the file; the end forces it to disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def write(self, turn: int, taken: Iterable[int], settled: Mapping[DeliveryState, Iterable[int]]) -> None:
        """Add a turn; raises `StorageError` where the disk refuses."""
        fates = {str(state): _ranges(numbers) for state, numbers in settled.items()}
        # Begun with a line end as well: what a full disk or a power loss cut short spoils no other line.
        line = "\n" + json.dumps({"turn": turn, "taken": _ranges(taken), "settled": fates}) + "\n"
        try:
            if self._file is None:
                self._file = self._open()
            # One write to the end of the file: those of several senders never mix.
            whole = os.write(self._file, line.encode()) == len(line)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written ({error.strerror}); make room and repeat") from error
        if not whole:
            raise StorageError(f"{self._path} cannot be written to its end; make room and repeat")

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        try:
            os.fsync(self._file)
        except OSError as failure:
            raise StorageError(f"{self._path} cannot be kept ({failure.strerror}); look at the disk") from failure
        finally:
            os.close(self._file)

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


class Journal:
    """The journals of a desk's issues, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def desk(self) -> str:
        """The name of this desk among all that share its database; made up when first asked for."""
        path = self._folder / "desk"
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError), path.open("x", encoding="ascii") as file:
            file.write(secrets.token_hex(8))
        return path.read_text(encoding="ascii").strip()

    def of(self, issue_id: IssueId) -> JournalWriter:
        """What a sender of the issue writes with."""
        return JournalWriter(self._path(issue_id))

    def last_turn(self, issue_id: IssueId) -> int:
        """The number of the last turn of an issue's senders here; 0 where nothing of it ever left."""
        try:
            with self._path(issue_id).open("rb") as file:
                for start in (max(0, file.seek(0, os.SEEK_END) - _TAIL), 0):
                    file.seek(start)
                    if turns := [turn.turn for turn in map(_read, file) if turn is not None]:
                        return max(turns)
        except FileNotFoundError:
            pass
        return 0

    def turns(self, issue_id: IssueId) -> Iterator[JournalTurn]:
        """Every turn of an issue's senders here, in the order of its lines; a line that was cut short is left out."""
        with self._path(issue_id).open("rb") as file:
            yield from (turn for turn in map(_read, file) if turn is not None)

    def latest(self) -> IssueId | None:
        """The issue that was written of last: where the database is behind any journal, it is behind this one."""
        return max(self.issues(), key=lambda issue_id: self._path(issue_id).stat().st_mtime_ns, default=None)

    def issues(self) -> list[IssueId]:
        """Every issue of which something left."""
        found = []
        for path in sorted(self._folder.glob(f"*/*{_SUFFIX}")):
            day, number = path.stem[:10], path.stem[11:]
            try:
                found.append(IssueId.parse("/".join(filter(None, (path.parent.name, day, number)))))
            except InputError:
                continue  # not ours
        return found

    def _path(self, issue_id: IssueId) -> Path:
        return self._folder / issue_id.newsletter / f"{issue_id.day}{_SUFFIX}"


def _read(line: bytes) -> JournalTurn | None:
    try:
        document = json.loads(line)
        settled = {DeliveryState(state): tuple(_numbers(text)) for state, text in document["settled"].items()}
        return JournalTurn(int(document["turn"]), tuple(_numbers(document["taken"])), settled)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _ranges(numbers: Iterable[int]) -> str:
    """`1-200,205` for the numbers, which are in a window's order nearly always one after the other."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}-{last}" if first < last else str(first) for first, last in runs)


def _numbers(ranges: str) -> Iterator[int]:
    for run in filter(None, ranges.split(",")):
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)
