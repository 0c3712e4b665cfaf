"""Where a text names an address, as people write it: between words, glued to them, and never as a part of another."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any

__all__ = ["GONE", "Mentions", "forms_of"]

GONE = "…"
"""What stands where an address was."""

# Scripts that put no space between words (是ann@x.org) begin no local part that goes on in Latin letters.
_BEFORE = r"(?:(?<![A-Za-z0-9_.+\u00c0-\u024f-])|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4}))"
_BEHIND = re.compile(r"([A-Za-z0-9_-]*)((?:\.[A-Za-z0-9_-]+)*)")

_ENDINGS = frozenset(
    (
        *("aero", "arpa", "asia", "biz", "cat", "com", "coop", "edu", "gov", "info", "int", "jobs", "mil", "mobi"),
        *("museum", "name", "net", "org", "post", "pro", "tel", "travel", "xxx"),
        *("example", "internal", "invalid", "local", "localhost", "test"),
    )
)
"""Top-level domains of old, and those that are never given out (RFC 2606, RFC 6761); a country's has two letters. The
newer ones are words: behind a whole domain such a word more often begins a sentence than ends another domain."""


def forms_of(addresses: Iterable[str]) -> set[str]:
    """The ways in which addresses may be written: as they are, in small letters, and as JSON writes them."""
    plain = {form for each in addresses for form in (each, each.lower())}
    return plain | {json.dumps(each)[1:-1] for each in plain}


class Mentions:
    """Mentions of addresses in these forms."""

    def __init__(self, forms: Collection[str]) -> None:
        either = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
        self._pattern = re.compile(f"{_BEFORE}(?:{either})", re.IGNORECASE)

    def without(self, held: Any) -> Any:
        """The same text or JSON document, with `GONE` instead of each."""
        match held:
            case str():
                return self._pattern.sub(_gone, held)
            case list():
                return [self.without(each) for each in held]
            case dict():
                return {self.without(key): self.without(each) for key, each in held.items()}
            case _:
                return held


def _gone(found: re.Match[str]) -> str:
    return found[0] if _goes_on(found.string, found.end()) else GONE


def _goes_on(text: str, end: int) -> bool:
    """Whether the address does not end there, and so is another one: `ann@x.org.au` and `ann@x.organic` are.

    `ann@x.org.Now` and `ann@x.org.I` are not: a domain is written in one case, and a sentence begins with a capital.
    """
    behind = _BEHIND.match(text, end)
    assert behind is not None
    glued, labels = behind[1], behind[2].split(".")[1:]
    in_small = text[end - 1].islower()
    if glued:
        return not (in_small and _begins_a_word(glued))
    for label in labels:
        if _begins_a_word(label) or (in_small and len(label) == 1 and label.isupper()):
            return False
        ending = label.lower()
        if ending in _ENDINGS or ending.startswith("xn--") or (len(label) == 2 and label.isalpha()):
            return True
    return False


def _begins_a_word(label: str) -> bool:
    return label[0].isupper() and label[1:2].islower()
