"""Words that an edition makes for itself: clean text, subject and preheader, dates, reading time."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import accumulate
from math import ceil
from zoneinfo import ZoneInfo

import idna
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_datetime_format, get_timezone_location
from babel.lists import format_list

from newsletter.languages import forms
from newsletter.render.wrapping import columns
from newsletter.words import visible, whole_until

__all__ = [
    "as_header",
    "cut",
    "date_in_words",
    "direction",
    "language_name",
    "language_tag",
    "listed",
    "preheader_of",
    "reading_minutes",
    "script_class",
    "short_date",
    "visible",
    "written",
]

SUBJECT_COLUMNS = 60
PREHEADER_COLUMNS = 110

_ENCODED_WORD = re.compile(r"=+\?=*|\?=+")
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
_KANA, _HANGUL, _HAN, _THAI, _UNSPACED = (
    re.compile(f"[{span}]") for span in ("ぁ-ヿ", "가-힣ᄀ-ᇿ", "㐀-䶿一-鿿", "ก-๛", "ぁ-ヿ㐀-䶿一-鿿ก-๛")
)
_WORD = re.compile(r"\w+")
# Reading speeds in silent reading: 238 words (Brysbaert 2019, doi 10.1016/j.jml.2019.104047), and letters for
# scripts without spaces as Medium and Ghost count them.
_WORDS_A_MINUTE, _LETTERS_A_MINUTE = 238, 500


def as_header(text: str) -> str:
    """`text` fit for a header: one line, and nothing that reads as an RFC 2047 encoded word."""
    return _ENCODED_WORD.sub("?", visible(text)).strip()


def cut(text: str, width: int) -> str:
    """The first words of `text` in at most `width` columns (a CJK letter takes two), "…" where words are missing."""
    if columns(text[: width + 1]) <= width:  # a letter takes a column at least
        return text
    used = list(accumulate(map(columns, text[:width])))
    kept = text[: whole_until(text, bisect_right(used, width - 1))]
    space = kept.rfind(" ")
    if columns(text[len(kept)]) == 1 and text[len(kept)] != " " and space > len(kept) // 2:
        kept = kept[:space]
    return kept.rstrip(" ,;:–—-·、，：；….") + "…"


def preheader_of(titles: Sequence[str]) -> str:
    """The headlines that follow the lead, as many as an inbox line shows."""
    return cut(" · ".join(titles), PREHEADER_COLUMNS)


def reading_minutes(texts: Sequence[str]) -> int:
    """Minutes to read all the texts aloud in the head, at least one."""
    counted = [_words_and_letters(text) for text in texts]
    words, letters = sum(words for words, _ in counted), sum(letters for _, letters in counted)
    return max(1, ceil(words / _WORDS_A_MINUTE + letters / _LETTERS_A_MINUTE))


@lru_cache(4096)
def _words_and_letters(text: str) -> tuple[int, int]:
    """Words between spaces, and letters of scripts that have none; a story's are counted once for all its editions."""
    spaced, letters = _UNSPACED.subn(" ", text)
    return len(_WORD.findall(spaced)), letters


def date_in_words(day: date, language: str) -> str:
    """Wednesday, 27 May 2026; other languages in the order that is theirs."""
    locale = _locale(language)
    return str(format_date(day, "EEEE, d MMMM y" if locale.language == "en" else "full", locale=locale))


def short_date(instant: datetime, timezone: str, language: str) -> str:
    """27 May 2026, as the calendar stood where the newsletter is made."""
    try:
        return _short_date(instant.astimezone(ZoneInfo(timezone)).date(), language)
    except OverflowError:  # the first or last day there is, and a zone to the other side of it
        return ""


def moment_in_words(instant: datetime, zone: ZoneInfo, language: str) -> str:
    """Friday, 29 May 2026, 07:00 (Singapore Time), in the order and by the names of the language."""
    local = instant.astimezone(zone)
    # CLDR has the hour first in some languages, and Arabic has a comma of its own.
    day, hour = date_in_words(local.date(), language), f"{local:%H:%M}"
    joined = str(get_datetime_format("medium", locale=_locale(language))).replace("{1}", day).replace("{0}", hour)
    return f"{joined} ({zone_in_words(zone, language)})"


def listed(names: Sequence[str], language: str) -> str:
    """China, Japan and Singapore, joined as the language does it."""
    locale = _locale(language)
    if direction(language) == "rtl" and any(name.isascii() for name in names):
        return ", ".join(names)  # "and" is a letter of the next word there, and cannot stand between foreign names
    # Without the comma before the last that CLDR has for the United States, as our dates are not theirs either.
    return str(format_list(list(names), locale=Locale("en", "GB") if locale.language == "en" else locale))


def days_in_words(days: Collection[int], language: str) -> str:
    """Monday – Friday, or Monday, Friday; `days` are 1 for Monday to 7."""
    names, chosen = _locale(language).days["stand-alone"]["wide"], sorted(days)
    if len(chosen) > 2 and chosen[-1] - chosen[0] == len(chosen) - 1:
        return f"{names[chosen[0] - 1]} – {names[chosen[-1] - 1]}"
    return ", ".join(names[day - 1] for day in chosen)


def zone_in_words(zone: ZoneInfo, language: str) -> str:
    """Singapore Time, by the name of the language."""
    return str(get_timezone_location(zone, locale=_locale(language)))


def day_in_words(day: date, language: str) -> str:
    """27 May 2026; other languages in the order that is theirs."""
    return _short_date(day, language)


@lru_cache(1024)
def _short_date(day: date, language: str) -> str:
    locale = _locale(language)
    return str(format_date(day, "d MMM y" if locale.language == "en" else "long", locale=locale))


def written(email: str) -> str:
    """An address as its reader writes it: the domain in letters, not in A-labels (RFC 5890)."""
    local, _, domain = email.strip().rpartition("@")
    try:
        return f"{local}@{idna.decode(domain)}" if "xn--" in domain.lower() else email.strip()
    except idna.IDNAError:
        return email.strip()


def language_tag(language: str | None, otherwise: str) -> str:
    """A BCP 47 tag that is safe in a `lang` attribute."""
    return language if language and _TAG.fullmatch(language) else otherwise


def language_name(code: str, language: str) -> str:
    """The name of a language in another: `zh` in English is Chinese."""
    return str(_locale(language).languages.get(code.split("-")[0].lower(), code))


def direction(language: str) -> str:
    """`rtl` for languages written right to left, else `ltr`."""
    return "rtl" if language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def script_class(language: str | None, text: str) -> str:
    """Which typeface a text asks for, by its language or else its letters: `zh tall`, `zh-hant tall`, `ja tall`,
    `ko tall`, `th tall` or `latin`. What is `tall` needs lines 2 px further apart."""
    tags = forms(language or "")
    if "zh-Hant" in tags:
        return "zh-hant tall"
    if tags[-1] in ("zh", "ja", "ko", "th"):
        return f"{tags[-1]} tall"
    for name, script in (("ja", _KANA), ("ko", _HANGUL), ("zh", _HAN), ("th", _THAI)):
        if script.search(text):
            return f"{name} tall"
    return "latin"


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")
