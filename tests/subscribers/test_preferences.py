"""Each field says what it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from subscribers.errors import PreferenceError
from subscribers.preferences import (
    parse_countries,
    parse_frequency,
    parse_instant,
    parse_language,
    parse_name,
    parse_timezone,
)


def test_countries_are_sorted_and_once_each() -> None:
    assert parse_countries(["jp", " CN", "JP", "", "Asia"], ["asia"]) == ("CN", "JP", "asia")


@pytest.mark.parametrize("code", ["XX", "China", "ZZ", "EU", "asia", "C"])
def test_countries_that_are_none(code: str) -> None:
    with pytest.raises(PreferenceError, match=code):
        parse_countries([code])


def test_countries_without_any_are_refused() -> None:
    with pytest.raises(PreferenceError, match="at least one"):
        parse_countries([" "])


@pytest.mark.parametrize(
    ("text", "tag"), [("EN", "en"), ("zh-hans", "zh-Hans"), ("en-gb", "en-GB"), ("zh-HANT-hk", "zh-Hant-HK")]
)
def test_languages_take_their_usual_capitals(text: str, tag: str) -> None:
    assert parse_language(text) == tag


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05T08:00:00+08:00", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05 08:00", datetime(2026, 1, 5, 8, tzinfo=UTC)),
        ("2026-01-05T08:00:00Z", datetime(2026, 1, 5, 8, tzinfo=UTC)),
    ],
)
def test_instants(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_frequency, "hourly"),
        (parse_language, "english please"),
        (parse_timezone, "Europe/Olso"),
        (parse_instant, "yesterday"),
        (parse_instant, "0001-01-01T00:00:00+14:00"),
        (parse_name, "Ann\x00"),
        (parse_name, "Ann\ufdd0name\ufdd1"),
        (parse_name, "A" * 201),
    ],
)
def test_bad_values_are_named(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(PreferenceError):
        parse(text)


def test_a_name_stays_on_one_line() -> None:
    assert parse_name(" Ann\r\n  Lee ") == "Ann Lee"
