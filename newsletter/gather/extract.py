"""An extract of a text: its most telling whole sentences, in their order, within a limit.

Sentences are ranked by LexRank (Erkan and Radev, 2004, section 3: the centre of the graph of alike sentences), by how
many words they share with the headline, and by how early they stand: news says what matters first. Plain Python on at
most sixty sentences: 3 ms for a usual article, while numpy's import alone would cost the parsing child 90 ms and 25 MB.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.gather.cleaning import shorten
from newsletter.words import cosine, read

__all__ = ["extract", "sentences"]

_MOST_SENTENCES = 60
_ALIKE = 0.1
_ROUNDS = 20
_DAMPING = 0.85
_RANK, _TITLE, _POSITION = 1.0, 0.8, 1.2
_REPEATS = 0.6

_SHORTEST, _SHORTEST_UNSPACED = 25, 8

# A mark of end, closing quotes, and then a capital, a digit or a script without capitals.
_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+(?=[\"'“‘«(\[]*[^\Wa-z_])|(?<=[。！？])[”’」』）]*(?!\s*[”’」』）])\s*")
# What a full stop ends no sentence after: titles, months, initials, "No. 5".
_NO_END = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Col|Lt|Sgt|St|Jr|Sr|Inc|Ltd|Co|Corp|No|vs|etc|approx"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|U\.S|U\.K|U\.N|E\.U|a\.m|p\.m|e\.g|i\.e)\.)$"
)
_BOILERPLATE = re.compile(
    r"^(?:read (?:more|on|also|the full)|continue reading|click here|sign up|subscribe|follow us|share (?:this|on)"
    r"|advertisement|photo(?:graph)?(?: by|:)|image:|getty images|copyright|©|all rights reserved|see also|related:"
    r"|the post .{0,200} appeared first on|this (?:article|story) (?:was|is|first)|correction:|updated?:"
    r"|by [A-Z]\w+ [A-Z]\w+$|.{0,40}\(cc\)|comments? \(\d+\)|buy .{0,30}»)",
    re.IGNORECASE,
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_THAI = re.compile("[\u0e00-\u0e7f]")


def extract(title: str, text: str, limit: int) -> str:
    """The best whole sentences of clean `text` in their order, at most `limit` characters; "" where nothing fits.

    A text that is within the limit is its own extract. Where the first sentence alone is over it, it is cut at a word.
    The same text always gives the same extract.
    """
    text = text.removeprefix(title).lstrip(" .:-–—|") if title else text
    if len(text) <= limit:
        return text
    found = sentences(text)[:_MOST_SENTENCES]
    if not found:
        return shorten(text, limit)
    scores = _scores(title, found)
    chosen: list[int] = []
    length = 0
    for place in sorted(range(len(found)), key=lambda place: (-scores[place], place)):
        needed = len(found[place]) + bool(chosen)
        if length + needed <= limit and not any(_alike(found[place], found[other]) >= _REPEATS for other in chosen):
            chosen.append(place)
            length += needed
    if not chosen:
        return shorten(found[0], limit)
    joined = "" if _UNSPACED.match(found[chosen[0]]) and not _THAI.match(found[chosen[0]]) else " "
    return joined.join(found[place] for place in sorted(chosen))


def sentences(text: str) -> list[str]:
    """The sentences of a clean text, without what belongs to the page and not to the story.

    Thai marks no ends: there a space stands for one.
    """
    pieces: list[str] = []
    for piece in _split(text):
        if pieces and _NO_END.search(pieces[-1]):
            pieces[-1] = f"{pieces[-1]} {piece}"
        else:
            pieces.append(piece)
    return [piece for piece in pieces if _is_sentence(piece)]


def _split(text: str) -> list[str]:
    if _THAI.search(text[:200]):
        return text.split(" ")
    # The separator's closing quotes belong to the sentence before it.
    ends = [0, *(match.end() for match in _END.finditer(text))]
    return [text[start:end].strip() for start, end in zip(ends, [*ends[1:], len(text)], strict=True)]


def _is_sentence(piece: str) -> bool:
    shortest = _SHORTEST_UNSPACED if _UNSPACED.search(piece) else _SHORTEST
    return len(piece) >= shortest and not _BOILERPLATE.match(piece)


def _scores(title: str, found: Sequence[str]) -> list[float]:
    ranks = _lexrank(found)
    highest = max(ranks) or 1.0
    wanted = read(title).terms
    return [
        _RANK * ranks[place] / highest
        + _TITLE * (cosine(wanted, read(found[place]).terms) if wanted else 0.0)
        + _POSITION / (1 + place)
        for place in range(len(found))
    ]


def _lexrank(found: Sequence[str]) -> list[float]:
    """The stationary distribution of a walk between alike sentences, by the power method."""
    count = len(found)
    neighbours: list[list[tuple[int, float]]] = [[] for _ in found]
    for one in range(count):
        for other in range(one + 1, count):
            if (alike := _alike(found[one], found[other])) >= _ALIKE:
                neighbours[one].append((other, alike))
                neighbours[other].append((one, alike))
    degrees = [sum(alike for _, alike in row) for row in neighbours]
    ranks = [1.0 / count] * count
    for _ in range(_ROUNDS):
        ranks = [
            (1 - _DAMPING) / count + _DAMPING * sum(ranks[other] * alike / degrees[other] for other, alike in row)
            for row in neighbours
        ]
    return ranks


def _alike(one: str, other: str) -> float:
    return cosine(read(one).terms, read(other).terms)
