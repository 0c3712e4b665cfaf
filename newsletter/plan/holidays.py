"""The days that an iCalendar file names (RFC 5545): whole-day events, spans of days, and yearly ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias

from newsletter.errors import PlanError, Problem

__all__ = ["calendar_text", "parse_holidays"]

MAX_BYTES = 1024 * 1024
MAX_SPAN = timedelta(days=366)
LAST_YEAR = 2100
"""Yearly events without an end are written out up to here."""

_Property: TypeAlias = tuple[int, str]  # the line it stands on, and its value
_Event: TypeAlias = dict[str, _Property]


def calendar_text(path: Path, file: str) -> str:
    """What an .ics file says, as text; raises `OSError`, or `PlanError` naming `file`."""
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise PlanError([Problem(file, 1, 1, f"the calendar is larger than {MAX_BYTES} bytes")])
    return data.decode("utf-8-sig", errors="replace")


def parse_holidays(text: str, file: str) -> frozenset[date]:
    """The days of every VEVENT, DTEND excluded (RFC 5545, 3.6.1). The time of day of an event is not looked at.

    Raises `PlanError` with every fault. Of recurrences only `FREQ=YEARLY` on the event's own date is read,
    with `UNTIL` and `COUNT`: what holiday calendars are written with.
    """
    days: set[date] = set()
    problems: list[Problem] = []
    for line, event in _events(text):
        try:
            days.update(_event_days(event, line))
        except _EventError as error:
            problems.append(Problem(file, error.line, 1, str(error)))
    if not days and not problems:
        problems.append(Problem(file, 1, 1, "there is no event with a date in this calendar"))
    if problems:
        raise PlanError(problems)
    return frozenset(days)


class _EventError(Exception):  # becomes a Problem in this module
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def _events(text: str) -> Iterator[tuple[int, _Event]]:
    """Each VEVENT with the line it begins on; what is nested in it (alarms) is left out."""
    event: _Event | None = None
    begun, depth = 1, 0
    for number, name, value in _properties(text):
        if event is None:
            if (name, value.upper()) == ("BEGIN", "VEVENT"):
                event, begun, depth = {}, number, 0
        elif name == "BEGIN":
            depth += 1
        elif name == "END" and depth:
            depth -= 1
        elif name == "END":
            yield begun, event
            event = None
        elif not depth:
            event[name] = (number, value)


def _properties(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, name and value of each content line, unfolded (3.1); parameters are dropped."""
    unfolded: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] in (" ", "\t") and unfolded:
            first, begun = unfolded[-1]
            unfolded[-1] = (first, begun + line[1:])
        else:
            unfolded.append((number, line))
    for number, line in unfolded:
        head, _, value = line.partition(":")
        yield number, head.partition(";")[0].strip().upper(), value.strip()


def _event_days(event: _Event, begun: int) -> Iterator[date]:
    for name in ("RDATE", "EXDATE", "DURATION"):
        if name in event:
            raise _EventError(event[name][0], f"{name} is not read here; write its dates into schedule.yaml")
    if "DTSTART" not in event:
        raise _EventError(begun, "this event has no DTSTART")
    start = _date(event["DTSTART"])
    end = _date(event["DTEND"]) if "DTEND" in event else start + timedelta(days=1)
    length = max(end - start, timedelta(days=1))
    if length > MAX_SPAN:
        raise _EventError(event["DTEND"][0], f"an event of {length.days} days is no holiday")
    for first in _starts(start, event.get("RRULE")):
        yield from (first + timedelta(days=offset) for offset in range(length.days))


def _starts(start: date, rule: _Property | None) -> Iterator[date]:
    if rule is None:
        yield start
        return
    line, text = rule
    parts = dict(part.partition("=")[::2] for part in text.upper().split(";"))
    if parts.pop("FREQ", "") != "YEARLY" or parts.pop("INTERVAL", "1") != "1" or parts.keys() - {"UNTIL", "COUNT"}:
        raise _EventError(line, f"of repeated events only RRULE:FREQ=YEARLY is read, not {text[:60]!r}")
    until = _date((line, parts["UNTIL"])) if "UNTIL" in parts else date.max
    count = parts.get("COUNT", str(LAST_YEAR))
    if not re.fullmatch("[1-9][0-9]{0,3}", count):
        raise _EventError(line, f"COUNT={count[:20]} is no number of times")
    starts = (start.replace(year=year) for year in range(start.year, LAST_YEAR + 1) if _exists(start, year))
    for _, day in zip(range(int(count)), starts, strict=False):
        if day <= until:
            yield day


def _exists(day: date, year: int) -> bool:
    return (day.month, day.day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def _date(prop: _Property) -> date:
    line, text = prop
    match = re.match(r"(\d{4})(\d\d)(\d\d)(?:T\d{6}Z?)?$", text, re.ASCII)
    try:
        if match:
            found = date(int(match[1]), int(match[2]), int(match[3]))
            if 1900 <= found.year <= LAST_YEAR:
                return found
    except ValueError:
        pass
    raise _EventError(line, f"{text[:40]!r} is no date from 1900 to {LAST_YEAR}; one looks like 20261225")
