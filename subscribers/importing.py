"""Taking a file of subscribers in: streamed, in batches, as often as anybody likes."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TextIO

from sqlalchemy import Connection, Engine

from subscribers.database import writing
from subscribers.enrolment import enrol
from subscribers.errors import FileError, PreferenceError, RefusedError
from subscribers.model import Event, Fate, SignUp
from subscribers.records import find_subscribers, save, suppressed_keys
from subscribers.rows import REJECT_COLUMNS, Header, Row, check_file, read_header, read_rows
from subscribers.signups import Terms, read_signup
from subscribers.tables import subscriber

__all__ = ["ImportReport", "RefusedRow", "import_file", "rejects_path", "take"]

_BATCH = 1000
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: the line it starts on, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"row {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of a file's rows; every row that is not blank is counted once.

    `refusals` are the first hundred; all of them stand in `rejects`, which a dry run writes only where it is told to.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    already_unsubscribed: int = 0
    suppressed: int = 0
    refused: int = 0
    refusals: tuple[RefusedRow, ...] = ()
    rejects: Path | None = None
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """How many rows there were."""
        return sum(getattr(self, fate) for fate in Fate)

    def as_json(self) -> dict[str, object]:
        """The document of `newsletter subscribers import --json`."""
        return {
            "rows": self.rows,
            **{str(fate): getattr(self, fate) for fate in Fate},
            "refusals": [{"row": refused.line, "reason": refused.reason} for refused in self.refusals],
            "rejects": str(self.rejects) if self.rejects else None,
            "dry_run": self.dry_run,
        }


def rejects_path(path: Path) -> Path:
    """`FILE.rejects.csv`, where the rows of FILE go that cannot be taken."""
    return path.with_name(f"{path.name}.rejects.csv")


def import_file(
    engine: Engine,
    path: Path,
    terms: Terms,
    now: datetime,
    *,
    dry_run: bool = False,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Take in every row that can be taken; a second time it changes nothing.

    Each batch of 1,000 rows is a transaction of its own, so an import cut short is simply repeated.
    `progress` gets bytes done and bytes in all. Refused rows go to `rejects`, by default beside the file. A dry run
    reads the database and writes nothing but the `rejects` that it is given; an address standing twice in the file,
    over 1,000 rows apart, then counts as added twice. The `Listener` of histories does not hear of the rows: who
    imports has the report. Raises `FileError`, before anything is written, for a file that is no table of subscribers,
    and `PreferenceError` for `terms`.
    """
    for name in terms.newsletters:
        if name not in terms.known:
            raise PreferenceError(f"no newsletter is named {name!r}; there are {', '.join(sorted(terms.known))}")
    engine = engine.execution_options(listener=None)
    total = check_file(path)
    counts: Counter[Fate] = Counter()
    shown: list[RefusedRow] = []
    with path.open("rb") as stream:
        rows = read_rows(stream)
        header = read_header(next(rows), path, need_newsletters=not terms.newsletters)
        with _Rejects(rejects or (None if dry_run else rejects_path(path)), header) as refusing:
            for batch in _batches(row for row in rows if not row.blank):
                signups, refused = _sorted_out(batch, header, terms, now)
                for row, reason in refused:
                    refusing.write(row, reason)
                counts[Fate.REFUSED] += len(refused)
                shown += [RefusedRow(row.line, why) for row, why in refused[: _SHOWN - len(shown)]]
                counts.update(_take_batch(engine, signups, now, f"import {path.name}", dry_run=dry_run))
                progress(stream.tell(), total)
    return ImportReport(
        **{str(fate): counts[fate] for fate in Fate},
        refusals=tuple(shown),
        rejects=refusing.path if counts[Fate.REFUSED] else None,
        dry_run=dry_run,
    )


def take(
    connection: Connection, signups: Sequence[SignUp], now: datetime, how: str, *, write: bool = True
) -> list[Fate]:
    """Enrol each sign-up in turn and say what became of it; suppressed addresses are left as they are."""
    keys = {signup.address.key for signup in signups}
    chosen = subscriber.c.address_key.in_(keys)
    before = {held.address.key: held for held in find_subscribers(connection, chosen, lock=write)}
    suppressed = suppressed_keys(connection, keys)
    after = dict(before)
    fates: list[Fate] = []
    events: list[tuple[str, Event]] = []
    for signup in signups:
        key = signup.address.key
        if key in suppressed:
            fates.append(Fate.SUPPRESSED)
            continue
        outcome = enrol(signup, after.get(key), now, how)
        after[key] = outcome.subscriber
        fates.append(outcome.fate)
        events += [(key, event) for event in outcome.events]
    if write and events:
        save(connection, before, after, events, now)
    return fates


def _take_batch(engine: Engine, signups: Sequence[SignUp], now: datetime, how: str, *, dry_run: bool) -> list[Fate]:
    with engine.connect() if dry_run else writing(engine) as connection:
        return take(connection, signups, now, how, write=not dry_run)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _sorted_out(
    batch: Sequence[Row], header: Header, terms: Terms, now: datetime
) -> tuple[list[SignUp], list[tuple[Row, str]]]:
    signups: list[SignUp] = []
    refused: list[tuple[Row, str]] = []
    for row in batch:
        try:
            signups.append(read_signup(*header.split(row), terms, now))
        except (RefusedError, ValueError) as error:
            refused.append((row, str(error)))
    return signups, refused


class _Rejects(AbstractContextManager["_Rejects"]):
    """The rejects file, made when the first row comes; an old one of the same name goes at the start.

    Its first columns are `row` and `reason`, then those of the file, so that it can be mended and imported. A
    row with broken quoting stands whole in the third column.
    """

    def __init__(self, path: Path | None, header: Header) -> None:
        self.path, self._header = path, header
        self._file: TextIO | None = None
        if path:
            path.unlink(missing_ok=True)

    def write(self, row: Row, reason: str) -> None:
        if self.path is None:
            return
        skip = self._header.skip
        if self._file is None:
            self._file = self._opened(self.path)
            csv.writer(self._file).writerow([*REJECT_COLUMNS, *self._header.names[skip:]])
        kept = [row.raw] if row.fault else row.fields[skip:]
        csv.writer(self._file).writerow([row.line, reason, *kept])

    def _opened(self, path: Path) -> TextIO:
        try:
            # Addresses stand in it: it is for nobody but its owner, as an export is.
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            return os.fdopen(number, "w", encoding="utf-8", newline="")
        except OSError as error:
            raise FileError(str(path), 0, f"cannot be written: {error.strerror}") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
