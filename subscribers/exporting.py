"""Giving subscribers out as a file that `importing` takes, or that a spreadsheet may open."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from subscribers.errors import FileError
from subscribers.model import Status, Subscriber, Subscription
from subscribers.records import find_subscribers, suppressed_keys
from subscribers.signups import COLUMNS
from subscribers.tables import subscriber

__all__ = ["export_file", "export_rows", "spreadsheet_safe"]

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
    count = 0
    try:
        part.unlink(missing_ok=True)
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8-sig" if safe else "utf-8", newline="") as stream:
            writer = csv.writer(stream)
            with engine.connect() as connection:
                for cells in export_rows(connection, progress):
                    writer.writerow(map(spreadsheet_safe, cells) if safe else cells)
                    count += 1
        part.replace(path)
    except OSError as error:
        raise FileError(str(path), 0, f"cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    return count - 1


def export_rows(
    connection: Connection, progress: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[list[str]]:
    """The header, then a row for each subscriber and consent; nobody who unsubscribed or is suppressed."""
    attributes = _attribute_names(connection)
    yield [*COLUMNS, *attributes]
    total = connection.scalar(select(func.count()).select_from(subscriber)) or 0
    done = 0
    for page in _pages(connection):
        suppressed = suppressed_keys(connection, [held.address.key for held in page])
        for held in page:
            if held.address.key not in suppressed:
                yield from _rows_of(held, attributes)
        done += len(page)
        progress(done, total)


def _pages(connection: Connection) -> Iterator[list[Subscriber]]:
    after = 0
    while page := find_subscribers(connection, subscriber.c.id > after, limit=_PAGE):
        yield page
        after = page[-1].id


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
