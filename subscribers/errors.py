"""What can go wrong in this house, drawn once.

    SubscriberError                  exit 1
    ├── JournalError                          the readers' journal cannot be written
    └── RefusedError                 exit 2   what a person gave us cannot be used
        ├── AddressError                      not an address that mail can be sent to
        ├── PreferenceError                   a country, language, time zone, date … that is none
        ├── FileError                         a CSV file that cannot be read at all, with file and line
        ├── SegmentError                      a segment of schedule.yaml; every fault with its key
        └── UnknownSubscriberError            nobody with that address or number

`exit_code` is what a command that meets the error ends with. What the database refuses stays an error of
SQLAlchemy. A row of a file that cannot be taken is counted in the report, never raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "AddressError",
    "FileError",
    "JournalError",
    "PreferenceError",
    "RefusedError",
    "SegmentError",
    "SegmentProblem",
    "SubscriberError",
    "UnknownSubscriberError",
]


class SubscriberError(Exception):
    """Root of every error this house raises on purpose."""

    exit_code = 1


class JournalError(SubscriberError):
    """What somebody decided cannot be written down where a restored backup finds it; nothing was done."""


class RefusedError(SubscriberError):
    """A file, address or argument given by a person cannot be used."""

    exit_code = 2


class AddressError(RefusedError):
    """The text is not an address that mail can be sent to."""


class PreferenceError(RefusedError):
    """One value about a subscriber cannot be used."""


class FileError(RefusedError):
    """A CSV file cannot be read or written at all; `line` is 1-based, 0 for the file as a whole."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file, self.line, self.message = file, line, message


@dataclass(frozen=True, slots=True)
class SegmentProblem:
    """One fault of a segment: the path of keys that leads to it, and what is wrong."""

    path: tuple[str | int, ...]
    message: str

    def __str__(self) -> str:
        return ".".join(["segment", *map(str, self.path)]) + f": {self.message}"


class SegmentError(RefusedError):
    """A segment that cannot be followed; `problems` holds every fault, in the order of its keys."""

    def __init__(self, problems: Sequence[SegmentProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class UnknownSubscriberError(RefusedError):
    """Nobody with that address or number is known here."""
