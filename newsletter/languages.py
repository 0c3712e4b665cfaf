"""Language tags (BCP 47), and under which shorter ones a text for them may be found."""

from __future__ import annotations

from functools import cache

__all__ = ["forms"]

_TRADITIONAL = frozenset(("TW", "HK", "MO"))


@cache
def forms(language: str) -> tuple[str, ...]:
    """A tag from the whole of it to its first part: `zh-HK`, `zh-Hant`, `zh`, for Hong Kong reads that script.

    Cases are the usual ones whatever was written (BCP 47, section 2.1.1): `zh-hant-hk` begins with `zh-Hant-HK`.
    """
    first, *rest = language.split("-")
    parts = [first.lower(), *(_cased(part) for part in rest)]
    found = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    if parts[0] == "zh" and "Hant" not in parts and "Hans" not in parts and _TRADITIONAL.intersection(parts):
        found.insert(-1, "zh-Hant")
    return tuple(found)


def _cased(part: str) -> str:
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower()
