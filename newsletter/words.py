"""Text as terms that can be compared: words where a script has spaces, character n-grams where it has none.

Terms are for counting only; what people read is the text as it stands (`Text.surfaces`, `Text.runs`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from operator import mul

from newsletter.model import Story

__all__ = [
    "MARKS",
    "Counts",
    "Reading",
    "Text",
    "cosine",
    "grams_of",
    "is_empty_word",
    "is_seen",
    "is_spaced",
    "likeness",
    "normalised",
    "read",
    "shared_readings",
    "terms_of",
    "text_of",
    "visible",
    "whole_until",
    "without_unseen",
]

_CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
# Thai, Lao, Burmese (with its extension), Khmer: letters and marks, not digits or signs.
_SOUTH_EAST_ASIAN = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\uaa60-\uaa7f\u1780-\u17d3"
)
_UNSPACED = _CJK + _SOUTH_EAST_ASIAN
# Python's \w leaves out combining marks (general category M), which Hindi, Tamil, Arabic and Hebrew words hold.
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_LETTER = rf"[^\W_{_UNSPACED}]"
_TOKEN = re.compile(rf"[{_UNSPACED}]+|{_LETTER}+(?:[{MARKS}]+{_LETTER}*)*")
_RUN = re.compile(f"[{_UNSPACED}]")
# Fed's is Fed, and U.S. is US.
_WRITTEN_DIFFERENTLY = re.compile(r"['’][sS]\b|\.(?<=\b[A-Z]\.)(?=[A-Z]\b)")
_STARTS_CJK = re.compile(f"[{_CJK}]")
# What a shared run of characters may begin or end with by grammar alone: hiragana and Chinese particles.
_PARTICLES = "".join(map(chr, range(0x3041, 0x3097))) + "的了在是和與与及也就都而"

# What no reader sees and what could mislead one, or carry words to a model behind an editor's back. ZWJ, ZWNJ, LRM and
# RLM stay: scripts and emoji need them. A zero-width space stays where it divides words of scripts without spaces.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_UNSEEN = re.compile(
    "["
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls, but for those that are white space
    r"\xad\ufeff\u2060-\u2064\ufff9-\ufffb"  # soft hyphen, byte order mark, invisible operators, annotations
    r"\u061c\u202a-\u202e\u2066-\u206f"  # bidi embeddings, overrides and isolates (UAX 9)
    r"\ud800-\udfff" + _NONCHARACTERS + "]"
    rf"|(?<![{_SOUTH_EAST_ASIAN}])\u200b|\u200b(?![{_SOUTH_EAST_ASIAN}])"
    # Tags (U+E0000) say which flag a black flag is: those of England, Scotland and Wales, and no other words.
    "|(?P<flag>\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f)|[\U000e0000-\U000e007f]"
)

# Letters that are drawn as nothing: the fillers of Hangul, and Braille without a dot.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# What belongs to the character before it beside combining marks: joiners, variation selectors, skin tones (UAX 29).
_EXTENDS = re.compile("[\u200c\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")

# English words that say nothing about a subject, the last line in the news. Without them the headline clusters' own
# words decide: .003 in precision@3.
_EMPTY = """a about above after again against all almost also although always am among an and another any anybody anyone
anything are aren as at away be became because become becomes been before began behind being below between
beyond both but by can cannot could couldn d did didn do does doesn doing don done down during each either
else enough etc even ever every everybody everyone everything few first for from further get gets getting give
given gives go goes going gone got had hadn has hasn have haven having he her here hers herself him himself
his how however i if in instead into is isn it its itself just keep kept last latest least less let like
likely ll m made make makes many may maybe me might mine more most much must my myself near nearly need never
new next no nobody none nor not nothing now of off often on once one only onto or other others our ours
ourselves out over own per perhaps put quite rather re really s same seem seems set several shall she should
shouldn since so some somebody someone something soon still such t take taken takes than that the their theirs
them themselves then there these they thing things this those though through thus to together too took toward
towards two under unless until up upon use used uses using ve very via was wasn way we well went were weren
what when where whether which while who whole whom whose why will with within without won would wouldn yes yet
you your yours yourself yourselves
said say says"""
_EMPTY_WORDS = frozenset(_EMPTY.split())


class Counts(Counter[str]):
    """How often each term stands in a text; not changed once made."""

    @cached_property
    def square(self) -> int:
        """The square of its length as a vector."""
        return sum(map(mul, self.values(), self.values()))


@dataclass(frozen=True, slots=True)
class Text:
    """One text taken apart.

    `terms` and `tokens` (case folded, nothing left out) are counted; `surfaces` leads from a word's term to the
    word as first written; `runs` are the stretches of scripts without spaces, in order. `grams` are the terms again in
    pieces: trigrams of words, and the n-grams of runs as they are, so that "tapering" is half like "taper".
    """

    terms: Counts
    tokens: Counts
    surfaces: Mapping[str, str]
    runs: tuple[str, ...]
    grams: Counts


@dataclass(frozen=True, slots=True)
class Reading:
    """Something two texts share, as it stands in the first: about how many words it is, and its terms."""

    surface: str
    words: int
    terms: tuple[str, ...]


def text_of(story: Story) -> str:
    """What a story is compared by: title, summary and visible tags."""
    return "\n".join((story.title, story.summary, *story.tags))


# The same stories come up as candidates again and again while related reading is computed.
@lru_cache(maxsize=4096)
def read(text: str) -> Text:
    """Take a text apart; compatibility forms (full-width letters, half-width kana) become the usual ones."""
    terms: list[str] = []
    surfaces: dict[str, str] = {}
    runs: list[str] = []
    tokens = _tokens(text)
    for token in tokens:
        its, is_run = _terms(token)
        terms += its
        if is_run:
            runs.append(token)
        elif its:
            surfaces.setdefault(its[0], token)
    return Text(Counts(terms), Counts(map(str.casefold, tokens)), surfaces, tuple(runs), _grams_of(tokens))


@lru_cache(maxsize=1 << 15)
def grams_of(text: str) -> Counts:
    """The `grams` of a text alone: what titles are compared by."""
    return _grams_of(_tokens(text))


def _grams_of(tokens: Iterable[str]) -> Counts:
    return Counts(chain.from_iterable(map(_grams, tokens)))


def terms_of(text: str) -> list[str]:
    """The terms of a text alone, as `read` finds them: what an index of many texts needs."""
    return list(chain.from_iterable(map(_TERMS_OF.__getitem__, _tokens(text))))


def without_unseen(text: str) -> str:
    """The text without control, bidi and other characters that no reader sees."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(lambda found: found["flag"] or "", text)


@lru_cache(4096)
def visible(text: str) -> str:
    """`text` as a reader may see it: NFC, one line, single spaces, nothing invisible that could mislead."""
    return " ".join(unicodedata.normalize("NFC", without_unseen(text)).split())


def is_seen(text: str) -> bool:
    """Whether a reader sees anything of the text: one letter, digit or sign that is drawn."""
    return any(
        unicodedata.category(character)[0] in "LNPS" and character not in _BLANK_LETTERS
        for character in without_unseen(text)
    )


def whole_until(text: str, end: int) -> int:
    """The last place up to `end` where a cut splits nothing that readers see as one: a letter and its vowel sign."""
    while 0 < end < len(text) and (_extends(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return end


def _extends(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or _EXTENDS.match(character) is not None


def is_spaced(text: str) -> bool:
    """Whether the text is of scripts that put spaces between words."""
    return _RUN.search(text) is None


def is_empty_word(word: str) -> bool:
    """Whether a case-folded word says nothing about a subject."""
    return word in _EMPTY_WORDS


def normalised(title: str) -> str:
    """A title by which two outlets' copies are the same: its letters and digits only, case folded."""
    if title.isascii():
        return " ".join(title.lower().translate(_NO_ASCII_LETTER).split())
    return " ".join(_TOKEN.findall(unicodedata.normalize("NFKC", title).casefold()))


def cosine(first: Counts, second: Counts) -> float:
    """How alike two counts are, 0 to 1; 0 for an empty one."""
    product = sum([first[term] * second[term] for term in first.keys() & second.keys()])
    return product and product / math.sqrt(first.square * second.square)


def likeness(first: Text, second: Text) -> float:
    """The higher of two cosines, by pieces of terms and by plain tokens: "I would do it again" holds no term at all."""
    return max(cosine(first.grams, second.grams), cosine(first.tokens, second.tokens))


def shared_readings(first: Text, second: Text) -> Iterator[Reading]:
    """What stands in both texts, as written in `first`, each once: words, and longest common runs."""
    for term, surface in first.surfaces.items():
        if term in second.surfaces:
            yield Reading(surface, 1, (term,))
    if second.runs:
        other = "\n".join(second.runs)
        for run in dict.fromkeys(common for whole in first.runs for common in _common(whole, other)):
            # A word is about two characters of Chinese, five of Thai, of which three are any two texts' own.
            if _STARTS_CJK.match(run):
                yield Reading(run, max(len(run) // 2, 1), _ngrams(run))
            elif len(run) > 3:
                yield Reading(run, max(len(run) // 5, 1), _ngrams(run))


def _tokens(text: str) -> list[str]:
    if text.isascii():
        # The same tokens in a quarter of the time: of all texts, half are so.
        if "'" in text or text.count(".") > 1:
            text = _WRITTEN_DIFFERENTLY.sub("", text)
        return text.translate(_NO_ASCII_LETTER).split()
    return _TOKEN.findall(_WRITTEN_DIFFERENTLY.sub("", unicodedata.normalize("NFKC", text)))


_NO_ASCII_LETTER = {code: " " for code in range(128) if not chr(code).isalnum()}


class _TermsOf(dict[str, tuple[str, ...]]):
    """The terms of each token that was met: an index of 100,000 stories meets 5 million, and few different ones."""

    def __missing__(self, token: str) -> tuple[str, ...]:
        if len(self) >= _MOST_TOKENS:
            self.clear()
        its = self[token] = _terms(token)[0]
        return its


_MOST_TOKENS = 1 << 16
_TERMS_OF = _TermsOf()


@lru_cache(maxsize=1 << 16)
def _terms(token: str) -> tuple[tuple[str, ...], bool]:
    """The terms of a token, none for an empty word, and whether it is a run without spaces."""
    if _RUN.match(token):
        return _ngrams(token), True
    word = token.casefold()
    return () if word in _EMPTY_WORDS else (_stem(word),), False


@lru_cache(maxsize=1 << 16)
def _grams(token: str) -> tuple[str, ...]:
    its, is_run = _terms(token)
    if is_run or not its:
        return its
    edged = f" {its[0]} "
    return tuple(edged[at : at + 3] for at in range(len(edged) - 2))


def _common(run: str, other: str) -> Iterator[str]:
    start = 0
    while start < len(run) - 1:
        end = start + 1
        while end < len(run) and run[start : end + 1] in other:
            end += 1
        if len(shared := _trimmed(run[start:end])) > 1:
            yield shared
        start = max(start + 1, end)


def _trimmed(run: str) -> str:
    """Without particles at either end, and without marks that hang on a letter which is not shared."""
    run = run.strip(_PARTICLES)
    while run and unicodedata.category(run[0]).startswith("M"):
        run = run[1:]
    return run


def _ngrams(run: str) -> tuple[str, ...]:
    if len(run) == 1:
        return (run,)
    return tuple(run[at : at + size] for size in (2, 3) for at in range(len(run) - size + 1))


def _stem(word: str) -> str:
    """English endings off: plural, -ing, -ed. Worth .004 in precision@3 on the headline clusters; nothing more
    elaborate is. Only plain ASCII words, since elsewhere the endings mean other things."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and word[-4] not in "ae":
        word = word[:-3] + "y"
    elif word.endswith("s") and word[-2] not in "us":
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
