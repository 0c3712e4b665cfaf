"""Dates as feeds and files write them. A date that cannot be read is no date: a wrong one is worse."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

from newsletter.model import Precision

__all__ = ["AHEAD", "Dated", "read_date"]

Dated = tuple[datetime, Precision]

AHEAD = timedelta(days=366)
"""A date further ahead than this is a slip: an embargo ends sooner, and the story would stand first for ever."""

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,6})\d*)?)?"
_ZONE = r"\s*(?P<zone>[+-]\d\d:?\d\d|[A-Za-z]{1,5})?(?:\s*\([^()]*\))?"
# W3C date and time format, as Atom and Dublin Core use it (RFC 3339).
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?:[T ]+{_CLOCK}{_ZONE})?", re.IGNORECASE)
# RFC 822 as feeds write it: any weekday, month names of any length, a zone that may touch the time.
_MAIL = re.compile(
    r"(?:[^\W\d_]+\.?,? )?(?P<day>\d{1,2})[ -](?P<month>[^\W\d_]{3,})\.?[ -](?P<year>\d{4}|\d\d)"
    rf"(?:,? {_CLOCK}{_ZONE})?"
)
_ENGLISH = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_LANGUAGES = ("cs", "de", "es", "fr", "hr", "hu", "id", "it", "nb", "nl", "pl", "pt", "ru", "sv", "tr", "uk")
# RFC 5322, section 4.3, and those that mean one zone only.
_HOURS = {
    "z": 0, "gmt": 0, "ut": 0, "utc": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7, "wet": 0, "cet": 1, "cest": 2, "sgt": 8, "hkt": 8, "jst": 9, "kst": 9,
}  # fmt: skip


def read_date(text: str) -> Dated | None:
    """The instant in UTC with its precision, or None.

    A date without a time is 00:00 UTC of that day. A time without a zone, or with one whose name means several
    (IST, BST), is read as UTC; both are precise to the day only.
    """
    text = " ".join(text.split())[:80]
    match = _ISO.fullmatch(text) or _MAIL.fullmatch(text)
    if match is None:
        return None
    month = int(match["month"]) if match["month"].isdigit() else _month(match["month"].lower())
    zone = _zone(match["zone"])
    try:
        local = datetime(
            _year(match["year"]),
            month,
            int(match["day"]),
            int(match["hour"] or 0),
            int(match["minute"] or 0),
            min(int(match["second"] or 0), 59),  # a leap second
            int((match["fraction"] or "0").ljust(6, "0")),
            tzinfo=zone or UTC,
        )
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # Unset dates of publishing systems: year 1, and the Unix epoch.
    return (instant, Precision.EXACT if zone else Precision.DAY) if instant.year > 1970 else None


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 50 else 1900)  # RFC 5322, section 4.3


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        hours = _HOURS.get(text.lower())
        return None if hours is None else timezone(timedelta(hours=hours))
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset > timedelta(hours=14) or int(digits[2:]) > 59:
        return None
    return timezone(-offset if text[0] == "-" else offset)


def _month(name: str) -> int:
    """The number of a month by its English name of three letters or more, or its name in another language; else 0."""
    for number, month in enumerate(_ENGLISH, start=1):
        if month.startswith(name):
            return number
    return _foreign_months().get(name, 0)


@cache
def _foreign_months() -> dict[str, int]:
    """Month names of CLDR ("set" is September in Portuguese) that mean one month only across the languages."""
    from babel import Locale

    meanings: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        months = Locale(language).months
        for form in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in months[form][width].items():
                    meanings.setdefault(name.rstrip(".").lower(), set()).add(number)
    return {name: numbers.pop() for name, numbers in meanings.items() if len(numbers) == 1}
