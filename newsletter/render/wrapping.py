"""Lines of the text part: about 72 columns, addresses in one piece."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

__all__ = ["columns", "wrap"]

# Chinese and Japanese have no spaces: a line may end after any wide letter, but never before a closing mark. Korean
# has spaces, and its words stay whole.
_NEVER_FIRST = "。、，．？！：；）」』】》〉”’・ー々… ·"
_WORD = re.compile(r"\S+(?: ·(?!\S))?")  # with the dot that parts it from the next
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_ADDRESS = re.compile(r"(?:https?|mailto):\S+")


def columns(text: str) -> int:
    """How wide a text stands in a fixed-width font: wide letters (UAX 11: W, F) count two, others one."""
    return len(text) if text.isascii() else sum(map(_column, text))


@cache
def _column(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


@lru_cache(4096)
def wrap(text: object, indent: str = "", width: int = 72) -> str:
    """`text` in lines of at most `width` columns, each behind `indent`; a longer word keeps a line of its own."""
    lines: list[str] = []
    line, used = "", 0
    room = width - columns(indent)
    for gap, piece in _pieces(str(text)):
        needed = len(gap) + columns(piece)
        if line and used + needed > room:
            lines.append(line)
            line, used = piece, needed - len(gap)
        elif line:
            line, used = line + gap + piece, used + needed
        else:
            line, used = piece, needed - len(gap)
    return "\n".join(indent + part for part in [*lines, line])


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What may not be broken, each with the space that goes before it when it stays on the line."""
    for word in _WORD.findall(" ".join(text.split())):
        gap = " "
        for piece in [word] if word.isascii() or _ADDRESS.match(word) else _within_word(word):
            yield gap, piece
            gap = ""


@cache
def _may_end_line(letter: str) -> bool:
    return _column(letter) == 2 and not _HANGUL.match(letter)


def _within_word(word: str) -> list[str]:
    pieces: list[str] = []
    for letter in word:
        wide = _may_end_line(letter)
        glued = letter in _NEVER_FIRST or unicodedata.combining(letter) or letter in "\u200c\u200d\ufe0e\ufe0f"
        if pieces and (glued or (not wide and not _may_end_line(pieces[-1][-1])) or pieces[-1][-1] == "\u200d"):
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces
