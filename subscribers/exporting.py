"""Giving subscribers out as a file that `importing` takes, or that a spreadsheet may open."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from subscribers.errors import FileError
from subscribers.model import Status, Subscriber, Subscription
from subscribers.records import find_subscribers, suppressed_keys
from subscribers.signups import COLUMNS
from subscribers.tables import subscriber

__all__ = ["export_file", "export_text", "spreadsheet_safe"]

_PAGE = 1000
# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), at its start or after a
# semicolon, where spreadsheets of many European locales cut a line.
_FORMULA = re.compile(r"(?:^|(?<=;))(?=[=+\-@\t\r\n＝＋－＠])")


def spreadsheet_safe(cell: str) -> str:
    """The cell with an apostrophe before whatever a spreadsheet would calculate."""
    return _FORMULA.sub("'", cell)


def export_file(
    engine: Engine,
    path: Path,
    *,
    safe: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write every pending and confirmed subscription to a CSV file that only its owner may read; its rows.

    `safe` is for looking at in a spreadsheet: formulas are made inert, and a BOM says it is UTF-8. The file
    appears whole or not at all. `progress` gets subscribers done and subscribers in all. Raises `FileError`.
    """
    part = path.with_name(f"{path.name}.part")
    count = -1  # the header is no row
    try:
        part.unlink(missing_ok=True)
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", newline="") as stream:
            for rows in _pages(engine, progress):
                stream.write(_text(rows, safe=safe, first=count < 0))
                count += len(rows)
        part.replace(path)
    except OSError as error:
        raise FileError(str(path), 0, f"cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def export_text(engine: Engine, *, safe: bool = False) -> Iterator[str]:
    """The text of that file, piece by piece. Who takes the pieces slowly keeps no transaction open meanwhile."""
    for number, rows in enumerate(_pages(engine)):
        yield _text(rows, safe=safe, first=number == 0)


def _text(rows: Iterable[Sequence[str]], *, safe: bool, first: bool) -> str:
    """Rows as CSV; what is safe for a spreadsheet begins with the BOM by which it knows UTF-8."""
    written = io.StringIO()
    csv.writer(written).writerows(map(spreadsheet_safe, cells) if safe else cells for cells in rows)
    return ("\ufeff" if safe and first else "") + written.getvalue()


def _pages(
    engine: Engine, progress: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[Sequence[Sequence[str]]]:
    """The header, then the rows of a thousand subscribers at a time, each with a row for each consent; nobody who
    unsubscribed or is suppressed by then. Each page is a transaction of its own."""
    with engine.connect() as connection:
        attributes = _attribute_names(connection)
        total = connection.scalar(select(func.count()).select_from(subscriber)) or 0
    yield [[*COLUMNS, *attributes]]
    done = after = 0
    while True:
        with engine.connect() as connection:
            page = find_subscribers(connection, subscriber.c.id > after, limit=_PAGE)
            suppressed = suppressed_keys(connection, [held.address.key for held in page])
        if not page:
            return
        yield [row for held in page if held.address.key not in suppressed for row in _rows_of(held, attributes)]
        done, after = done + len(page), page[-1].id
        progress(done, total)


def _attribute_names(connection: Connection) -> list[str]:
    names: set[str] = set()
    query = select(subscriber.c.attributes).execution_options(yield_per=_PAGE)
    for attributes in connection.scalars(query):
        names.update(attributes)
    return sorted(names)


def _rows_of(held: Subscriber, attributes: Sequence[str]) -> Iterator[list[str]]:
    live = [(name, kept) for name, kept in held.subscriptions.items() if kept.status != Status.UNSUBSCRIBED]
    chosen = held.preferences
    for kept, pairs in groupby(sorted(live, key=_consent_key), key=lambda pair: pair[1]):
        yield [
            held.email,
            ";".join(name for name, _ in pairs),
            held.name,
            ";".join(chosen.countries or ()),
            str(chosen.frequency),
            chosen.language or "",
            chosen.timezone or "",
            str(kept.status),
            kept.consent_at.isoformat() if kept.consent_at else "",
            kept.consent_source or "",
            *(held.attributes.get(name, "") for name in attributes),
        ]


def _consent_key(pair: tuple[str, Subscription]) -> tuple[str, str, str, str]:
    name, kept = pair
    return str(kept.status), str(kept.consent_at or ""), kept.consent_source or "", name
