"""Names of countries, in the reader's language, and which flag picture stands beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from itertools import product
from string import ascii_uppercase

from newsletter.languages import forms

__all__ = ["country_called", "country_name", "flag_file", "is_country", "name_among"]

# Unicode CLDR names these beside the countries: groupings, pseudo-locales, outlying islands.
_NO_COUNTRY = frozenset(("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"))


@cache
def is_country(code: str) -> bool:
    """Whether `code` is an ISO 3166-1 alpha-2 code in capitals (or XK, Kosovo's) that CLDR knows a name for."""
    return len(code) == 2 and code.isupper() and code not in _NO_COUNTRY and code in _territories("en")


@cache
def country_name(code: str, language: str = "en") -> str:
    """The name to print for a country code or a region of schedule.yaml (`asia` becomes "Asia", or "亚洲" in zh)."""
    theirs = _territories(language)
    if not is_country(code):
        region = code.replace("-", " ").title()
        return region if language == "en" else theirs.get(_regions().get(_plain(region), ""), region)
    if not theirs:
        return country_name(code)
    return name_among(_overrides().get(code, {}), language) or theirs.get(code) or _territories("en")[code]


def country_called(text: str) -> str | None:
    """The code of the country whose code or English name this is, in any case: `cn` and `China` are CN."""
    return text.upper() if is_country(text.upper()) else _codes().get(text.casefold())


@cache
def flag_file(code: str) -> str | None:
    """The file name of the country's flag, `cn.png`; None for a region or a country that is shown without one."""
    if not is_country(code):
        return None
    return _overrides().get(code, {}).get("flag", f"{code.lower()}.png") or None


def name_among(names: Mapping[str, str], language: str) -> str | None:
    """The name in that language, or in the language without its region: pt-BR, pt; zh-TW, zh-Hant, zh."""
    return next((names[form] for form in forms(language) if form in names), None)


@cache
def _codes() -> dict[str, str]:
    """Codes by English names, ours and CLDR's, case folded."""
    codes = [code for pair in product(ascii_uppercase, repeat=2) if is_country(code := "".join(pair))]
    theirs = {_territories("en")[code].casefold(): code for code in codes}
    return theirs | {country_name(code).casefold(): code for code in codes}


@cache
def _regions() -> dict[str, str]:
    """Codes of the world's regions (UN M.49) by CLDR's English names, as `_plain` writes them."""
    return {_plain(name): code for code, name in _territories("en").items() if code.isdigit()}


def _plain(region: str) -> str:
    """Desks write East Asia where CLDR has Eastern Asia."""
    return region.casefold().replace("ern ", " ")


@cache
def _overrides() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("newsletter") / "countries.toml").read_text(encoding="utf-8"))


@cache
def _territories(language: str) -> dict[str, str]:
    """CLDR's names of countries and regions; none in a language it does not know."""
    from babel import Locale, UnknownLocaleError

    try:
        return dict(Locale.parse(language, sep="-").territories)
    except (UnknownLocaleError, ValueError):
        return {}
