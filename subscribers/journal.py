"""What readers decided, kept beside the database and not in it: a restored backup must not take it back.

One file a desk, only ever added to. A line says who left, came back, was suppressed, moved or was erased; it names
nobody: `who` is a salted hash of the address. Each is written, and forced to disk, before the transaction that it
belongs to is committed, and has the number that the same transaction leaves in `journal_mark`. So a database whose
mark is lower than the last line has forgotten what the lines behind it say.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, select, update

from subscribers.database import conflict_insert
from subscribers.errors import JournalError
from subscribers.tables import journal_mark

__all__ = ["Line", "ReaderJournal", "Word", "digest_of"]

_TAIL = 8192  # bytes; more than the longest line


class Word(StrEnum):
    """What a line says of somebody."""

    UNSUBSCRIBED = "unsubscribed"
    CONFIRMED = "confirmed"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    MOVED = "moved"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `who` is `digest_of` an address key with `salt`, `to` that of the address somebody moved to."""

    line: int
    what: Word
    who: str
    salt: str
    newsletters: tuple[str, ...] = ()
    reason: str = ""
    to: str = ""


def digest_of(key: str, salt: str) -> str:
    """A salted hash of an address key: 32 hexadecimal digits of keyed BLAKE2b (RFC 7693)."""
    return hashlib.blake2b(key.encode(), key=salt.encode()[:64], digest_size=16).hexdigest()


class ReaderJournal:
    """The journal of one desk in the file `path`; `desk` gives the name of the desk, which is its salt too."""

    def __init__(self, path: Path, desk: Callable[[], str]) -> None:
        self._path = path
        self._desk = desk

    @property
    def salt(self) -> str:
        """What this desk's digests are made with."""
        return self._desk()

    def note(
        self,
        connection: Connection,
        now: datetime,
        what: Word,
        key: str,
        *,
        newsletters: Collection[str] = (),
        reason: str = "",
        to: str = "",
    ) -> None:
        """Add a line about who has that address key, as the last thing before the transaction is committed.

        Raises `JournalError` where the disk refuses. While the database is behind, its mark stays: what it has
        forgotten is still to be told.
        """
        mark = self._locked_mark(connection)
        number = max(mark, self.last()) + 1
        salt = self.salt
        line = {"line": number, "at": now.isoformat(), "what": what, "who": digest_of(key, salt), "salt": salt}
        line |= {"newsletters": sorted(newsletters)} if newsletters else {}
        line |= {"reason": reason} if reason else {}
        line |= {"to": digest_of(to, salt)} if to else {}
        self._append(line)
        if number == mark + 1:
            self._set_mark(connection, number)

    def last(self) -> int:
        """The number of the last line; 0 where there is none."""
        try:
            with self._path.open("rb") as file:
                for start in (max(0, file.seek(0, os.SEEK_END) - _TAIL), 0):
                    file.seek(start)
                    if lines := [line.line for line in map(_read, file) if line is not None]:
                        return max(lines)
        except FileNotFoundError:
            pass
        return 0

    def mark(self, connection: Connection) -> int:
        """The last line that the database knows of."""
        return connection.scalar(select(journal_mark.c.line).where(journal_mark.c.desk == self._desk())) or 0

    def catch_up(self, connection: Connection, line: int) -> None:
        """From now on the database knows of every line up to that one."""
        if self._locked_mark(connection) < line:
            self._set_mark(connection, line)

    def _set_mark(self, connection: Connection, line: int) -> None:
        connection.execute(update(journal_mark).where(journal_mark.c.desk == self._desk()).values(line=line))

    def lines(self, after: int = 0) -> Iterator[Line]:
        """Every line with a number over `after`, in order; one that was cut short is left out."""
        try:
            with self._path.open("rb") as file:
                for line in map(_read, file):
                    if line is not None and line.line > after:
                        yield line
        except FileNotFoundError:
            return

    def _locked_mark(self, connection: Connection) -> int:
        """The mark, which nobody else moves before the transaction ends: lines come in the order of their commits."""
        statement = conflict_insert(connection, journal_mark).values(desk=self._desk(), line=0)
        same = statement.on_conflict_do_update(index_elements=["desk"], set_={"line": journal_mark.c.line})
        return connection.scalar(same.returning(journal_mark.c.line)) or 0

    def _append(self, line: dict[str, object]) -> None:
        # Begun with a line end as well: what a full disk or a power loss cut short spoils no other line.
        text = ("\n" + json.dumps(line) + "\n").encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                whole = os.write(file, text) == len(text)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise JournalError(f"{self._path} cannot be written ({error.strerror}); make room and repeat") from error
        if not whole:
            raise JournalError(f"{self._path} cannot be written to its end; make room and repeat")


def _read(text: bytes) -> Line | None:
    try:
        found = json.loads(text)
        return Line(
            line=int(found["line"]),
            what=Word(found["what"]),
            who=str(found["who"]),
            salt=str(found["salt"]),
            newsletters=tuple(found.get("newsletters", ())),
            reason=str(found.get("reason", "")),
            to=str(found.get("to", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None
