"""Names and flags of countries as news desks print them."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from string import ascii_uppercase

import pytest

from newsletter.countries import country_name, flag_file, is_country
from newsletter.render import FLAGS

CODES = [code for pair in product(ascii_uppercase, repeat=2) if is_country(code := "".join(pair))]
LANGUAGES = (
    "en",
    "zh",
    "zh-Hans",
    "zh-Hant",
    "zh-TW",
    "ja",
    "ko",
    "id",
    "ar",
    "ms",
    "th",
    "vi",
    "de",
    "fr",
    "es",
    "pt-BR",
    "xx",
)


def test_every_country_has_a_name_in_every_language_and_none_is_a_claim() -> None:
    assert len(CODES) > 240
    for code, language in product(CODES, LANGUAGES):
        name = country_name(code, language)
        assert name
        assert not re.search(
            r"\bSAR\b|Province of|特别行政区|特別行政區|特別行政区|특별행정구|\bDAK\b|\bRAS\b|\bRAE\b", name
        ), (code, language, name)


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("TW", "en", "Taiwan"),
        ("HK", "en", "Hong Kong"),
        ("HK", "zh-TW", "香港"),
        ("MO", "zh-Hant", "澳門"),
        ("MO", "zh-Hans", "澳门"),
        ("PS", "en", "Palestine"),
        ("CD", "en", "DR Congo"),
        ("KP", "zh-TW", "北韓"),
        ("KP", "zh", "朝鲜"),
        ("TR", "en", "Turkey"),
        ("CI", "en", "Ivory Coast"),
        ("CZ", "en", "Czechia"),
        ("SZ", "en", "Eswatini"),
        ("BR", "pt-BR", "Brasil"),
        ("DE", "ja", "ドイツ"),
        ("JP", "ar", "اليابان"),
        ("JP", "xx", "Japan"),
        ("MM", "ar", "ميانمار"),
        ("HK", "hi", "हाँग काँग"),
        ("HK", "xx", "Hong Kong"),
        ("asia", "en", "Asia"),
        ("asia", "zh", "亚洲"),
        ("asia", "zh-HK", "亞洲"),
        ("southeast-asia", "ja", "東南アジア"),
        ("east-asia", "en", "East Asia"),
        ("east-asia", "ar", "شرق آسيا"),
        ("middle-east", "zh", "Middle East"),
    ],
)
def test_names(code: str, language: str, name: str) -> None:
    assert country_name(code, language) == name


def test_every_flag_is_there() -> None:
    missing = [code for code in CODES if (name := flag_file(code)) and not (Path(FLAGS) / name).exists()]
    assert missing == []
    assert flag_file("asia") is None
