"""Makes plain text out of whatever publishers write into a field.

Every function is idempotent: cleaning what is clean changes nothing, so a second poll makes no revision.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

import nh3

from newsletter.words import is_seen, whole_until, without_unseen

__all__ = [
    "NOTE_PARAGRAPHS",
    "PARAGRAPH_LIMIT",
    "SUMMARY_LIMIT",
    "TITLE_LIMIT",
    "clean_text",
    "paragraphs",
    "shorten",
    "split_paragraphs",
    "visible",
]

TITLE_LIMIT = 300
SUMMARY_LIMIT = 1_200
PARAGRAPH_LIMIT = 2_000
NOTE_PARAGRAPHS = 4

# Longer fields are whole articles; a card needs their beginning. nh3 takes quadratic time on nested tags:
# 20,000 open <div> cost 1.5 s, the 3,200 that fit in here 40 ms.
_RAW_LIMIT = 16_000
# Feeds in the wild escape twice (Mashable, 2016); more layers only occur in attacks.
_LAYERS = 6

# A "<" that opens no complete tag is a less-than sign ("a<b"): an HTML parser would swallow what follows.
_LESS_THAN = re.compile(r"<(?!/?[a-zA-Z][^<>]*>|[!?][^<>]*>|!--)")
_BLOCK = re.compile(
    r"<(?=/?(?:address|article|blockquote|br|dd|div|dt|fig(?:ure|caption)|h[1-6r]|img|li|ol|p|pre|section|t(?:able|d|h|r)|ul)\b)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=\w\w)[.!?]+[\"'”’)\]]*(?=\s)|[。！？]+[”’」』）]*")


def clean_text(markup: str, limit: int | None = None) -> str:
    """Plain text in NFC on one line: no markup, entities decoded however often escaped, no control or bidi characters.

    `limit` is the greatest length in characters; longer text is cut by `shorten`. A text of which no reader would see
    anything is empty.
    """
    text = markup if len(markup) <= _RAW_LIMIT else _beginning(markup)
    for _ in range(_LAYERS):
        before, text = text, _peel(text)
        if text == before:
            break
    else:
        text = _peel(text.translate({ord("&"): " ", ord("<"): " "}))
    if not is_seen(text):
        return ""
    return text if limit is None else shorten(text, limit)


def paragraphs(texts: Iterable[str]) -> tuple[str, ...]:
    """The first four non-empty texts, cleaned, at most 2,000 characters each."""
    cleaned = (clean_text(text, PARAGRAPH_LIMIT) for text in texts)
    return tuple(text for text in cleaned if text)[:NOTE_PARAGRAPHS]


def split_paragraphs(text: str) -> list[str]:
    """The parts of a text that empty lines divide, as they stand."""
    return re.split(r"\n\s*\n", text)


def visible(text: str) -> str:
    """The text on one line, without characters that no reader sees; nothing is decoded."""
    return " ".join(without_unseen(text).split())


def shorten(text: str, limit: int) -> str:
    """The text cut to `limit` characters: after a sentence if that keeps half of it, else after a word, with "…"."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, limit + 1) if match.end() <= limit]
    if ends and ends[-1] >= limit // 2:
        return text[: ends[-1]]
    end = text.rfind(" ", limit // 2, limit)
    return text[: whole_until(text, limit - 1 if end < 0 else end)].rstrip(" ,;:–—-") + "…"


def _beginning(markup: str) -> str:
    """As much of the field as is read, without a tag cut in two."""
    head = markup[:_RAW_LIMIT]
    opened = head.rfind("<")
    return head if opened <= head.rfind(">") else head[:opened]


def _peel(text: str) -> str:
    """One layer of escaping and markup taken off."""
    text = without_unseen(text)
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" <", _LESS_THAN.sub("&lt;", text)), tags=set())
    text = without_unseen(html.unescape(text))
    return " ".join(unicodedata.normalize("NFC", text).split())
