"""Story files: JSON, JSON Lines, CSV and saved feeds, read to stories and refusals with their positions."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import PurePath
from types import MappingProxyType
from typing import NoReturn

from newsletter.errors import InputError, SourceError
from newsletter.gather.confined import parse_confined
from newsletter.gather.document import UnfitStoryError, read_story
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["STORY_FILES", "read_stories"]

STORY_FILES = (".json", ".jsonl", ".csv", ".xml")

_CSV_LISTS = ("byline", "also_countries")
_CSV_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CSV_REQUIRED = ("title", "url", "published_at")
_CSV_DIVIDERS = ",;\t"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NOT_UTF8 = "not UTF-8; save the file as UTF-8"

Placed = tuple[str, object]
"""A position in the file, and the object found there (or the exception that says why there is none)."""


def read_stories(
    data: bytes,
    name: str,
    source: SourcePlan | None,
    now: datetime,
    sources: Mapping[str, SourcePlan] = MappingProxyType({}),
) -> tuple[list[Story], list[Refusal]]:
    """Stories and refusals of a file, in its order; raises `InputError` when nothing in it can be read.

    `source` gives what a story leaves out, or without one that of `sources` which the story names.

    Positions count from 1: `line 3`, or `story 3` in a JSON list. A story that repeats the identity of an
    earlier one is refused: which of the two is right, nobody could tell.
    """
    ending = PurePath(name).suffix.lower()
    if ending == ".xml":
        return _saved_feed(data, name, source, now)
    if ending not in _READERS:
        raise InputError(f"{name}: stories come in files that end in {', '.join(STORY_FILES)}")
    stories: list[Story] = []
    refused: list[Refusal] = []
    places: dict[str, str] = {}
    for where, document in _READERS[ending](_text(data, name), name):
        try:
            story = read_story(document, source, now, sources)
        except UnfitStoryError as error:
            refused.append(Refusal(where, str(error)))
            continue
        if story.id in places:
            refused.append(Refusal(where, f"it is {story.id} again, which {places[story.id]} is already"))
        else:
            places[story.id] = where
            stories.append(story)
    return stories, refused


def _saved_feed(data: bytes, name: str, source: SourcePlan | None, now: datetime) -> tuple[list[Story], list[Refusal]]:
    plan = source or SourcePlan(id="import", kind="folder")
    try:
        return parse_confined("newsletter.gather.feed", data, plan, now, address=plan.url or "")
    except SourceError as error:
        raise InputError(f"{name}:1: {error}") from error


def _text(data: bytes, name: str) -> str:
    """The text of a file; a byte that is no UTF-8 becomes a lone surrogate, which costs its row and no other."""
    if data.startswith(_UTF16):
        raise InputError(f"{name}:1: {_NOT_UTF8}")
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    if not text.strip():
        raise InputError(f"{name}:1: the file is empty")
    return text


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in text)


def _json_stories(text: str, name: str) -> Iterator[Placed]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not _is_utf8(line):
            raise InputError(f"{name}:{number}: {_NOT_UTF8}")
    try:
        value = _loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}:1: not JSON that can be read: {error}") from None
    documents = value if isinstance(value, list) else [value]
    if not documents:
        raise InputError(f"{name}:1: the list has no story in it")
    yield from ((f"story {position}", document) for position, document in enumerate(documents, start=1))


def _json_lines(text: str, name: str) -> Iterator[Placed]:
    found: list[Placed] = []
    for number, line in enumerate(text.split("\n"), start=1):  # splitlines would also break at U+2028 in a text
        if not line.strip():
            continue
        if not _is_utf8(line):
            found.append((f"line {number}", UnfitStoryError(_NOT_UTF8)))
        else:
            try:
                found.append((f"line {number}", _loads(line)))
            except (ValueError, RecursionError) as error:
                found.append((f"line {number}", UnfitStoryError(f"not JSON: {error}")))
    if all(isinstance(document, UnfitStoryError) for _, document in found):
        where, fault = found[0]
        raise InputError(f"{name}:{where.removeprefix('line ')}: {fault}; write one JSON object a line")
    yield from found


def _csv_rows(text: str, name: str) -> Iterator[Placed]:
    """The rows under a header. A row that is not CSV costs itself: reading goes on at the line after its first.

    Columns are divided by commas, or by semicolons or tabs, as spreadsheets write where the comma is a decimal sign.
    """
    lines = io.StringIO(text, newline="").readlines()
    divider = max(_CSV_DIVIDERS, key=lines[0].count)
    header: list[str] | None = None
    at = 0
    while at < len(lines):
        rows = csv.reader((lines[number] for number in range(at, len(lines))), delimiter=divider, strict=True)
        begins = at
        try:
            for row in rows:
                if header is None:
                    header = _csv_header(row, name)
                elif any(cell.strip() for cell in row):
                    yield f"line {begins + 1}", _csv_story(header, row)
                begins = at + rows.line_num
        except csv.Error as error:
            if header is None:
                raise InputError(f"{name}:1: not CSV: {error}") from None
            yield f"line {begins + 1}", UnfitStoryError(f"not CSV: {error}{_quoting(error)}")
            begins += 1
        at = begins


def _quoting(error: csv.Error) -> str:
    return "" if "limit" in str(error) else '; write a quote within quotes twice: ""'


def _csv_header(row: list[str], name: str) -> list[str]:
    header = [column.strip() for column in row]
    if missing := [column for column in _CSV_REQUIRED if column not in header]:
        raise InputError(f"{name}:1: the header has no column {', '.join(missing)}")
    if twice := [column for column, times in Counter(header).items() if column and times > 1]:
        raise InputError(f"{name}:1: the header has the column {', '.join(twice)} more than once")
    return header


def _csv_story(header: list[str], row: list[str]) -> object:
    """The object of one row: empty cells are absent, lists are divided by semicolons."""
    if len(row) > len(header):
        return UnfitStoryError(f"it has {len(row)} cells under {len(header)} columns; quote cells that hold a divider")
    if not all(map(_is_utf8, row)):
        return UnfitStoryError(_NOT_UTF8)
    fields: dict[str, object] = {key: cell for key, cell in zip(header, row, strict=False) if cell.strip()}
    for key in _CSV_LISTS:
        if isinstance(cell := fields.get(key), str):
            fields[key] = [part.strip() for part in cell.split(";") if part.strip()]
    if isinstance(cell := fields.get("paywall"), str):
        fields["paywall"] = _CSV_FLAGS.get(cell.strip().lower(), cell)
    if isinstance(cell := fields.get("machine_tags"), str):
        pairs = (part.partition(":") for part in cell.split(";") if part.strip())
        fields["machine_tags"] = {pair_name.strip(): value.strip() for pair_name, _, value in pairs}
    return fields


def _loads(text: str) -> object:
    return json.loads(text, parse_constant=_no_number)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_READERS: dict[str, Callable[[str, str], Iterator[Placed]]] = {
    ".json": _json_stories,
    ".jsonl": _json_lines,
    ".csv": _csv_rows,
}
