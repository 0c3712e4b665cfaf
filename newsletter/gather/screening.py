"""What a feed may hold before feedparser sees it: limits that no newspaper comes near.

feedparser 6 takes quadratic time on some input: 256 KiB of one author name took minutes, of attributes 12 s, of
categories 2 s. The limits keep any 10 MiB answer within seconds; they are counted in one pass over the text.
"""

from __future__ import annotations

import re

__all__ = ["excess"]

_ELEMENTS = 300_000
_CATEGORIES = 20_000
_NAMES = 5_000
_NAME_LENGTH = 1_000

_CATEGORY = re.compile(r"<(?:[\w.-]+:)?(?:category|subject)\b", re.IGNORECASE)
_MANY_ATTRIBUTES = re.compile(r"<(?:[^<>=]*=){200}")
# feedparser looks for mail addresses in these, and splits keywords.
_NAME = re.compile(
    r"<(/?)(?:[\w.-]+:)?(?:author|contributor|creator|email|keywords|managingeditor|name|owner|publisher|webmaster)\b"
    r"[^<>]*?(/?)>",
    re.IGNORECASE,
)


def excess(text: str) -> str | None:
    """What there is too much of in the text of a feed, as a phrase; None where all is within the limits."""
    if text.count("<") > _ELEMENTS:
        return f"over {_ELEMENTS:,} elements"
    if _MANY_ATTRIBUTES.search(text):
        return "an element with over 200 attributes"
    if sum(1 for _ in _CATEGORY.finditer(text)) > _CATEGORIES:
        return f"over {_CATEGORIES:,} categories"
    return _long_name(text)


def _long_name(text: str) -> str | None:
    """Names are measured from the outermost opening tag to its end, whatever stands between them."""
    depth = count = begun = 0
    for tag in _NAME.finditer(text):
        closing, empty = tag.groups()
        if depth and tag.start() - begun > _NAME_LENGTH:
            return f"a name of over {_NAME_LENGTH:,} characters"
        if closing:
            depth = max(depth - 1, 0)
        elif not empty:
            begun = begun if depth else tag.end()
            depth += 1
            count += 1
    if depth and len(text) - begun > _NAME_LENGTH:
        return f"a name of over {_NAME_LENGTH:,} characters"
    return f"over {_NAMES:,} names" if count > _NAMES else None
