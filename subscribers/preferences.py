"""Reading what people write about themselves: one function a field, each raising `PreferenceError`."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache

from subscribers.errors import PreferenceError
from subscribers.model import Frequency, Preferences

__all__ = [
    "checked_preferences",
    "parse_countries",
    "parse_frequency",
    "parse_instant",
    "parse_language",
    "parse_name",
    "parse_text",
    "parse_timezone",
]

_LONGEST_NAME = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
# C0 and C1 controls, lone surrogates, and the noncharacters that mark the slots of a rendered mail.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef]")
# What PostgreSQL cannot keep in text or JSON.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def parse_name(text: str) -> str:
    """A person's name on one line, runs of white space made one space; at most 200 characters."""
    name = " ".join(text.split())
    if _UNPRINTABLE.search(name):
        raise PreferenceError("the name holds a control character; remove it")
    if len(name) > _LONGEST_NAME:
        raise PreferenceError(f"the name has {len(name)} characters; {_LONGEST_NAME} is the most")
    return name


def parse_text(text: str, column: str) -> str:
    """Any text that can be stored, as it stands."""
    if _UNSTORABLE.search(text):
        raise PreferenceError(f"{column} holds a NUL character or half a surrogate pair; remove it")
    return text


def parse_countries(codes: Collection[str], regions: Collection[str] = ()) -> tuple[str, ...]:
    """ISO 3166-1 alpha-2 codes in any case, or regions of schedule.yaml; sorted, each once, at least one."""
    chosen = {_country(code.strip(), regions) for code in codes if code.strip()}
    if not chosen:
        raise PreferenceError("no country is named; name at least one, or leave the field out for all")
    return tuple(sorted(chosen))


def _country(code: str, regions: Collection[str]) -> str:
    if code.lower() in regions:
        return code.lower()
    if code.upper() in _iso_countries():
        return code.upper()
    raise PreferenceError(f"{code!r} is not an ISO 3166-1 country code such as CN or JP")


@cache
def _iso_countries() -> frozenset[str]:
    """What Unicode CLDR calls territories, less what is no country: ZZ, pseudo-locales, EU, UN, outlying Oceania."""
    from babel import Locale

    names = map(str, Locale("en").territories)
    return frozenset(c for c in names if len(c) == 2 and c.isalpha()) - {
        "EU", "EZ", "QO", "UN", "XA", "XB", "ZZ",
    }  # fmt: skip


def parse_frequency(text: str) -> Frequency:
    """`daily`, `weekly` or `breaking`."""
    try:
        return Frequency(text.strip().lower())
    except ValueError:
        raise PreferenceError(f"frequency {text!r} is none of {', '.join(Frequency)}") from None


@lru_cache(maxsize=1024)
def parse_language(text: str) -> str:
    """A language tag such as `en` or `zh-Hans` (BCP 47), in its usual capitals."""
    if not _LANGUAGE.fullmatch(text.strip()):
        raise PreferenceError(f"language {text!r} is not a language tag such as en or zh-Hans")
    first, *rest = text.strip().split("-")
    return "-".join([first.lower(), *(_subtag(part) for part in rest)])


def _subtag(part: str) -> str:
    # RFC 5646, section 2.1.1: scripts in title case, regions in capitals, all else in lower case.
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()


@lru_cache(maxsize=1024)
def parse_timezone(text: str) -> str:
    """A zone of the IANA database such as `Asia/Singapore`."""
    if text.strip() not in _zones():
        raise PreferenceError(f"unknown time zone {text!r}; one looks like Asia/Singapore")
    return text.strip()


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=1024)
def parse_instant(text: str) -> datetime:
    """An ISO 8601 date or time as UTC; without an offset it is read as UTC."""
    try:
        stamp = datetime.fromisoformat(text.strip())
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PreferenceError(f"{text!r} is not a time such as 2026-05-27T08:00:00+08:00") from None


def checked_preferences(preferences: Preferences, regions: Collection[str] = ()) -> Preferences:
    """The same preferences with each field as the functions above read it; raises `PreferenceError`."""
    language, zone = preferences.language, preferences.timezone
    countries = preferences.countries
    return replace(
        preferences,
        countries=None if countries is None else parse_countries(countries, regions),
        frequency=parse_frequency(preferences.frequency),
        language=None if language is None else parse_language(language),
        timezone=None if zone is None else parse_timezone(zone),
    )
