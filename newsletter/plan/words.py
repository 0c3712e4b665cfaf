"""The single values of schedule.yaml: each function turns the text of one into a value.

Every one raises `ValueError` with half a sentence that says what is wrong and how it is written. None of them
needs YAML: `NO` is Norway here, and 12:30 half past twelve.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from email_validator import EmailNotValidError, validate_email

from newsletter.countries import country_name, is_country

__all__ = [
    "DAYS",
    "address",
    "calendar_date",
    "choice",
    "clock_hours",
    "clock_time",
    "country",
    "day",
    "duration",
    "flag",
    "inside_path",
    "kebab",
    "language",
    "line_of_text",
    "number",
    "secret",
    "shown",
    "suggest",
    "time_zone",
    "web_address",
]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_Option = TypeVar("_Option", bound=str)

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ZONE = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")


def shown(text: str) -> str:
    """A value as an error quotes it: in quotes, control characters escaped, at most 60 characters."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def suggest(word: str, known: Iterable[str]) -> str:
    """`; did you mean '…'?` with the nearest of the known words, whatever their case; empty when none is near."""
    by_fold = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f"; did you mean {by_fold[near[0]]!r}?" if near else ""


def line_of_text(text: str) -> str:
    """One line of text for people, trimmed: control and bidi characters have no business in a mail header."""
    text = text.strip()
    if not text:
        raise ValueError("some text is needed here")
    if _CONTROL.search(text):
        raise ValueError("the text has to be one line without control characters")
    return text


def kebab(text: str) -> str:
    """A name that goes into addresses, file names and commands."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", text):
        raise ValueError(f"{shown(text)} is no name; names are made of a-z, 0-9 and -, and begin with no -")
    return text


def flag(text: str) -> bool:
    """`true` or `false`, as YAML 1.2 has them."""
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower())
    hint = f"; did you mean {meant}?" if meant else ""
    raise ValueError(f"expected true or false, not {shown(text)}{hint}")


def number(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise ValueError(f"expected a whole number, not {shown(text)}")
        if not least <= int(text) <= most:
            raise ValueError(f"{text} is not between {least} and {most}")
        return int(text)

    return parse


def choice(options: Iterable[_Option]) -> Callable[[str], _Option]:
    """A reader of one of a few words: an enum's, or plain ones."""
    by_name = {str(option): option for option in options}

    def parse(text: str) -> _Option:
        if text not in by_name:
            raise ValueError(f"{shown(text)} is not {' or '.join(by_name)}{suggest(text, by_name)}")
        return by_name[text]

    return parse


def clock_time(text: str) -> time:
    """A time of day on a 24-hour clock, `06:45`."""
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", text, re.ASCII)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"{shown(text)} is no time of day; times run from 00:00 to 23:59")
    if len(match[1]) == 1:
        raise ValueError(f"{shown(text)} has no two digits for the hour; did you mean '0{text}'?")
    return time(int(match[1]), int(match[2]))


def clock_hours(text: str) -> tuple[time, time]:
    """A span of the day, `22:00-06:00`; it may go over midnight."""
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError(f"{shown(text)} is no span of hours; one looks like 22:00-06:00")
    start, end = clock_time(first.strip()), clock_time(last.strip())
    if start == end:
        raise ValueError(f"{shown(text)} begins and ends at the same time")
    return start, end


def duration(least: timedelta = timedelta(0), most: timedelta = timedelta(days=366)) -> Callable[[str], timedelta]:
    """A reader of lengths of time such as `30s`, `15m`, `2h` and `7d`, from `least` to `most`."""

    def parse(text: str) -> timedelta:
        match = re.fullmatch(r"([0-9]{1,8})([smhd])", text)
        if not match:
            raise ValueError(f"{shown(text)} is no length of time; write 30s, 15m, 2h or 7d")
        length = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
        if not least <= length <= most:
            bound = f"shorter than {_length(least)}" if length < least else f"longer than {_length(most)}"
            raise ValueError(f"{text} is {bound}")
        return length

    return parse


def calendar_date(text: str) -> date:
    """A date, `2026-12-25`."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"{shown(text)} is no date; one looks like 2026-12-25")


def day(text: str) -> int:
    """A day of the week, `mon` to `sun`, as its ISO number: 1 for Monday."""
    if text not in DAYS:
        near = text.lower()[:3]
        hint = f"; did you mean {near!r}?" if near in DAYS else suggest(text, DAYS)
        raise ValueError(f"unknown day {shown(text)}; days are {', '.join(DAYS)}{hint}")
    return DAYS.index(text) + 1


@cache
def time_zone(text: str) -> ZoneInfo:
    """A zone of the tz database, `Asia/Singapore`."""
    try:
        if _ZONE.fullmatch(text) and text != "Factory":
            return ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # unknown; a folder such as Europe; a name too long
        pass
    known = _zones()
    city = text.strip().replace(" ", "_").casefold()
    cities = sorted(name for name in known if name.rpartition("/")[2].casefold() == city)
    hint = f"; did you mean {cities[0]!r}?" if cities else suggest(text, known)
    raise ValueError(f"unknown time zone {shown(text)}{hint}")


def country(text: str) -> str:
    """An ISO 3166-1 alpha-2 code, `SG`."""
    if is_country(text):
        return text
    meant = "GB" if text.upper() == "UK" else text.upper()
    if not is_country(meant):
        meant = _codes_by_name().get(text.casefold(), "")
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise ValueError(f"{shown(text)} is no country; countries are two letters such as SG{hint}")


def language(text: str) -> str:
    """A language tag (BCP 47), `en` or `zh-Hant`."""
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", text):
        raise ValueError(f"{shown(text)} is no language; one looks like en or zh-Hant")
    return text


@lru_cache(maxsize=1024)
def address(text: str) -> str:
    """A mail address, its domain in lower case and as A-labels (RFC 5890). The local part must be ASCII."""
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"{shown(text)} is no mail address: {str(error).rstrip('.')}") from None
    return found.ascii_email or found.normalized


def web_address(text: str) -> str:
    """An http or https address without user and password: secrets never stand in schedule.yaml."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or re.search(r"\s", text) or _CONTROL.search(text):
        raise ValueError(f"{shown(text)} is no web address; one begins with https:// or http://")
    if parts.username is not None:
        raise ValueError("a password does not belong in this file; take it out of the address and use `key`")
    return text


def secret(text: str) -> str:
    """Where a secret is kept: `env:NAME` or `file:PATH`. The text is not quoted in the error, it may be one."""
    if not re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f]+", text):
        raise ValueError("a secret does not belong in this file; write env:NAME or file:PATH, where it is kept")
    return text


def inside_path(text: str) -> str:
    """A path in the desk's folder. What lies elsewhere is linked there by whoever runs the desk, not by its editors."""
    parts = text.split("/")
    if not text.strip() or text.startswith(("/", "~")) or ".." in parts or _CONTROL.search(text) or "\\" in text:
        raise ValueError(f"{shown(text)} is no path inside the desk's folder; one looks like inbox")
    return text


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks the folders of the tz database: 38 ms


@cache
def _codes_by_name() -> dict[str, str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = (first + second for first in letters for second in letters)
    return {country_name(code).casefold(): code for code in codes if is_country(code)}
