"""Reading a CSV file row by row, so that one broken row never swallows the next."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from subscribers.errors import FileError
from subscribers.signups import COLUMNS

__all__ = ["REJECT_COLUMNS", "Header", "Row", "check_file", "read_header", "read_rows"]

REJECT_COLUMNS = ("row", "reason")
"""What a rejects file puts before the columns of the file it came from."""

_MOST_LINES = 20
_LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on (1-based), its fields, or the `fault` that keeps it from having any."""

    line: int
    fields: tuple[str, ...]
    raw: str
    fault: str | None = None

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return self.fault is None and not any(field.strip() for field in self.fields)


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a file's columns; `skip` leading ones say nothing about a subscriber."""

    names: tuple[str, ...]
    skip: int = 0

    def split(self, row: Row) -> tuple[dict[str, str], dict[str, str]]:
        """The cells of `COLUMNS`, stripped, and those of all other columns, as they stand.

        A short row lacks its last cells: spreadsheets leave trailing commas out. Raises `ValueError` for a row
        with more fields than the header, or without any.
        """
        if row.fault:
            raise ValueError(row.fault)
        if any(row.fields[len(self.names) :]):
            raise ValueError(f"{len(row.fields)} fields where the header names {len(self.names)}")
        pairs = list(zip(self.names, row.fields, strict=False))[self.skip :]
        cells = {name: text.strip() for name, text in pairs if name in COLUMNS}
        return cells, {name: text for name, text in pairs if name not in COLUMNS}


def check_file(path: Path) -> int:
    """Make sure the whole file is UTF-8 text in lines, before a row of it is taken; its size in bytes.

    Raises `FileError` with the line.
    """
    number = 0
    try:
        with path.open("rb") as stream:
            while line := stream.readline(_LONGEST_LINE + 1):
                number += 1
                if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise FileError(str(path), 1, "this is UTF-16; save the file as CSV UTF-8")
                if len(line) > _LONGEST_LINE:
                    raise FileError(str(path), number, f"the line is longer than {_LONGEST_LINE:,} bytes")
                line.decode()
            if not number:
                raise FileError(str(path), 1, "the file is empty; its first line must name the columns")
            return stream.tell()
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} of the line is not UTF-8; save the file as CSV UTF-8"
        raise FileError(str(path), number, problem) from None
    except OSError as error:
        raise FileError(str(path), 0, f"cannot be read: {error.strerror}") from None


def read_rows(stream: BinaryIO) -> Iterator[Row]:
    """Every row of a file of UTF-8 lines, the header included (RFC 4180; LF or CRLF, a BOM is left out).

    Fields are parted by what most often stands in the first line: commas, semicolons (spreadsheets of many European
    locales) or tabs. A quoted field may run over at most 20 lines. Where quoting is broken only the first line is given
    up, and reading goes on with the next one.
    """
    waiting: deque[str] = deque()
    number = 1
    stream.seek(len(b"\xef\xbb\xbf") if stream.read(3) == b"\xef\xbb\xbf" else 0)
    waiting.append(stream.readline().decode())
    parted_by = _parted_by(waiting[0])

    while True:
        taken: list[str] = []
        try:
            fields = next(csv.reader(_feed(stream, waiting, taken), delimiter=parted_by, strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            waiting.extendleft(reversed(taken[1:]))
            yield Row(number, (), taken[0].rstrip("\r\n"), f"broken quoting: {error}")
            number += 1
        else:
            yield Row(number, tuple(fields), "".join(taken).rstrip("\r\n"))
            number += len(taken)


def _parted_by(header: str) -> str:
    return max(",;\t", key=header.count)  # the first of those that are alike, so a lone column is one of commas


def _feed(stream: BinaryIO, waiting: deque[str], taken: list[str]) -> Iterator[str]:
    """The lines that one row may be made of; `taken` grows by each one the reader asked for."""
    while len(taken) < _MOST_LINES:
        line = waiting.popleft() if waiting else stream.readline().decode()
        if not line:
            return
        taken.append(line)
        yield line


def read_header(row: Row, path: Path, *, need_newsletters: bool) -> Header:
    """The columns that a file's first row names; raises `FileError` where no subscribers can stand below it."""
    names = [name.strip() for name in row.fields]
    while names and not names[-1]:
        names.pop()
    names = [name.casefold() if name.casefold() in COLUMNS else name for name in names]
    problem = row.fault or _header_problem(names, need_newsletters)
    if problem:
        raise FileError(str(path), row.line, problem)
    return Header(tuple(names), len(REJECT_COLUMNS) if tuple(names[:2]) == REJECT_COLUMNS else 0)


def _header_problem(names: list[str], need_newsletters: bool) -> str | None:
    if "email" not in names:
        return "the first row must name the columns, and none is named email"
    if "" in names:
        return f"column {names.index('') + 1} has no name"
    for name in names:
        if names.count(name) > 1:
            return f"two columns are named {name!r}"
        if not name.isprintable():
            return f"the column name {name!r} holds a control character"
    if need_newsletters and "newsletters" not in names:
        return "there is no column newsletters; say which ones they subscribe to (--newsletter NAME)"
    return None
