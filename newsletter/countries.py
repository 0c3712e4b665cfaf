"""Names of countries, in the reader's language, and which flag picture stands beside them."""

from __future__ import annotations

from functools import cache

__all__ = ["country_name", "flag_file", "is_country"]

# CLDR's names are long or not the ones news desks print; keyed by (country, language).
_NAMES = {
    ("HK", "en"): "Hong Kong",
    ("MO", "en"): "Macau",
    ("MM", "en"): "Myanmar",
    ("PS", "en"): "Palestine",
    ("CD", "en"): "DR Congo",
    ("CG", "en"): "Congo",
    ("HK", "zh"): "香港",
    ("MO", "zh"): "澳门",
}


# Unicode CLDR names these beside the countries: groupings, pseudo-locales, outlying islands.
_NO_COUNTRY = frozenset(("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"))


@cache
def is_country(code: str) -> bool:
    """Whether `code` is an ISO 3166-1 alpha-2 code in capitals (or XK, Kosovo's) that CLDR knows a name for."""
    return len(code) == 2 and code.isupper() and code not in _NO_COUNTRY and code in _territories("en")


@cache
def country_name(code: str, language: str = "en") -> str:
    """The name to print for a country code or a region of schedule.yaml (`asia` becomes "Asia")."""
    if not is_country(code):
        return code.replace("-", " ").title()
    name = _NAMES.get((code, language)) or _territories(language).get(code) or _territories("en")[code]
    return str(name)


def flag_file(code: str) -> str | None:
    """The file name of the country's flag, `cn.png`; None for a region, which has none."""
    return f"{code.lower()}.png" if is_country(code) else None


@cache
def _territories(language: str) -> dict[str, str]:
    from babel import Locale, UnknownLocaleError

    try:
        return dict(Locale.parse(language, sep="-").territories)
    except (UnknownLocaleError, ValueError):
        return dict(Locale.parse("en").territories)
