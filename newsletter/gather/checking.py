"""Whether what a model wrote stands in what it was given: every number, name and quotation.

It finds made-up facts, not wrong ones: "did not" for "did" passes, and so does a name put in another's place where both
stand in the story. That is why an editor reads each note. Figures: docs/decisions/0009-summaries.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from newsletter.gather.gazetteer import countries_named
from newsletter.gather.numerals import Number, is_number_word, numbers_in, rounds
from newsletter.words import is_empty_word

__all__ = ["Doubt", "unsupported"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A number, a name or a quotation that the source does not have, as the note writes it."""

    what: str
    text: str

    def __str__(self) -> str:
        return f"the {self.what} {self.text!r} does not stand in the story"


def unsupported(note: Sequence[str], source: str) -> list[Doubt]:
    """The numbers, names and quotations of the note that the source text does not have, each once."""
    known = _Source(source)
    doubts = [
        doubt
        for paragraph in note
        for check in (_doubtful_numbers, _doubtful_names, _doubtful_signs, _doubtful_quotations)
        for doubt in check(_normal(paragraph), known)
    ]
    return list(dict.fromkeys(doubts))


def _doubtful_numbers(text: str, known: _Source) -> Iterator[Doubt]:
    for number in numbers_in(text):
        if not known.has_number(number):
            yield Doubt("number", number.text)


def _doubtful_quotations(text: str, known: _Source) -> Iterator[Doubt]:
    for match in _SPOKEN.finditer(text):
        words = _letters(match[1])
        if words.count(" ") >= _SPOKEN_WORDS - 1 and f" {words} " not in known.letters:
            yield Doubt("quotation", match[1])


def _letters(text: str) -> str:
    """The words of a text, in lower case and with one space between: what a quotation must keep."""
    return " ".join(re.findall(r"\w+", text.casefold()))


# What somebody said, as against a word or two held at arm's length.
_SPOKEN = re.compile('[“"]([^“”"]{12,600})[”"]')
_SPOKEN_WORDS = 4

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\.?(?:[A-Za-z]\.)*")
# Not after "U.S." or "Sen.", and after a colon only with a quotation: a capital there belongs to a name.
_SENTENCE_START = re.compile(
    r"(?:\A|\n|[!?•]\s+|(?<!\b[A-ZÀ-ÞА-Я])(?<!\b(?:Dr|Mr|Ms|St|Lt))(?<!\b(?:Mrs|Sen|Rep|Gov|Gen|Col|Sgt))(?<!\bProf)\.\s+"
    r"|[:,]\s+(?=[\"'“‘«]))[\"'“‘«(\[]*\Z"
)
# Korean of Korea, Taiwanese of Taiwan, Iraqi of Iraq: what makes a people of a place.
_PEOPLE = ("n", "an", "ian", "ese", "i", "ish")
# Endings of cases in Russian and Ukrainian: Белову of Белова.
_CASES = re.compile(
    "(?<=.{3})(?:ами|ями|ого|его|ому|ему|ыми|ими|ові|еві|ой|ей|ою|ею|ом|ем|ам|ям|ах|ях|ов|ев|ый|ий|ая|яя|ое|ее|ые|ие"
    "|ую|юю|[аяоеуюыиіїьй])$"
)
# G20, A380, F-16, Covid-19.
_CODE = re.compile(r"\b(?!Q[1-4]\b)[A-Z][A-Za-z]{0,9}-?\d{1,6}[A-Za-z]?\b")
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc]{3,}")
_QUOTED = re.compile("[「『《〈]([^「」『』《》〈〉]{2,30})[」』》〉]")
_GERMAN = re.compile(r"\b(?:der|die|das|und|nicht|ist|eine?[mnrs]?|mit|von|für|auf|wurden?|hat|haben|sich)\b")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{2,}")
# What grammar adds to an English word, and what the word is without it.
_INFLECTIONS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ied", "y"), ("ing", ""), ("ing", "e"), ("er", ""),
    ("er", "e"), ("ers", ""), ("ers", "e"), ("ly", ""), ("ily", "y"), ("ness", ""), ("less", ""), ("able", ""),
    ("ment", ""), ("ments", ""), ("al", ""), ("ful", ""), ("est", ""), ("or", ""), ("ors", ""), ("ion", ""),
    ("ions", ""), ("ion", "e"), ("ions", "e"),
)  # fmt: skip


@cache
def _common_words() -> tuple[frozenset[str], frozenset[str]]:
    """Words that open sentences: English ones, and those of other languages."""
    text = (resources.files("newsletter.gather") / "common_words.txt").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    english, _, others = lines.partition("----")
    return frozenset(map(_bare, english.split())), frozenset(map(_bare, others.split()))


@lru_cache(maxsize=4096)
def _is_common(word: str, *, english: bool) -> bool:
    """Whether a case-folded word may open a sentence without being a name, in whatever form."""
    common, others = _common_words()
    if word in others or not english:
        return word in others
    if word in common or is_empty_word(word):
        return True
    for ending, instead in _INFLECTIONS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            bare = stem + instead
            if bare in common or (bare[-1] == bare[-2] and bare[:-1] in common) or bare.removesuffix("er") in common:
                return True
    return "-" in word and any(part in common for part in word.split("-"))


def _is_english(text: str) -> bool:
    """Whether a text is at least not more of another language: by the small words, and by the script."""
    english, others = _common_words()
    words = [_bare(word) for word in _WORD.findall(text)]
    foreign = sum(word in others and word not in english and not is_empty_word(word) for word in words)
    latin = sum(word.isascii() for word in words)
    return foreign <= sum(map(is_empty_word, words)) and latin * 2 >= len(words) and not _CJK.search(text)


def _doubtful_names(text: str, known: _Source) -> Iterator[Doubt]:
    english = _is_english(text)
    capitalises_nouns = not english and len(set(_GERMAN.findall(text))) > 2
    for match in _WORD.finditer(text):
        word = match[0].rstrip(".") if match[0].count(".") == 1 else match[0]
        # "Health Police (HP) said": what is abbreviated is a name.
        opens = not text.startswith(" (", match.end()) and bool(
            _SENTENCE_START.search(text[max(0, match.start() - 16) : match.start()])
        )
        if capitalises_nouns and not _stands_by_a_name(text, match):
            continue
        if _bare(word) in _TITLES and text[match.end() + 1 : match.end() + 2].isupper():
            continue
        for part in (word, *_later_parts(word)):
            if _is_name(part, english if opens and part is word else None) and not known.has_name(part):
                yield Doubt("name", part)


def _doubtful_signs(text: str, known: _Source) -> Iterator[Doubt]:
    """What is a name without a capital: codes, and in scripts without capitals katakana, titles and countries."""
    for code in _CODE.findall(text):
        if not known.has_code(code):
            yield Doubt("name", code)
    for name in (*_KATAKANA.findall(text), *_QUOTED.findall(text)):
        if name not in known.text:
            yield Doubt("name", name)
    for run in _CJK.findall(text):
        for surface, countries in countries_named(run):
            if surface not in known.text and known.countries.isdisjoint(countries):
                yield Doubt("name", surface)


_NEVER_NAMES = frozenset(("an", "i'd", "i'll", "i'm", "i've", "the"))
# Names only where no name follows: "the state of Mr".
_TITLES = frozenset(("chancellor", "dr", "minister", "mr", "mrs", "ms", "president", "prime", "prof", "sir", "st"))
# Combining marks of Latin, Greek and Cyrillic: Valparaiso is Valparaíso.
_ACCENTS = re.compile("[\u0300-\u036f]")
# What these stand for has no capitals.
_ABBREVIATED = {
    "ai": "artificial intelligence", "ceo": "chief executive", "cfo": "chief financial", "coo": "chief operating",
    "cto": "chief technology", "cpi": "consumer price", "ev": "electric vehicle", "evs": "electric vehicle",
    "fed": "federal reserve", "gdp": "gross domestic product", "ipo": "initial public offering",
    "mp": "member of parliament", "mps": "members of parliament", "pm": "prime minister", "vat": "value-added tax",
    "vp": "vice president", "ngo": "non-governmental", "phd": "doctorate", "tv": "television",
}  # fmt: skip


def _later_parts(word: str) -> list[str]:
    """The Covid of post-Covid and the Angola of d'Angola: what has a capital in a word that begins without one."""
    return [part for part in re.split("[-’']", word)[1:] if part[:1].isupper()] if word[0].islower() else []


def _stands_by_a_name(text: str, match: re.Match[str]) -> bool:
    """In German, whose nouns all have capitals: whether a word is an acronym or has another capital next to it."""
    if any(map(str.isupper, match[0][1:])):
        return True
    before, after = text[: match.start()].split(" "), text[match.end() :].split(" ")
    follows = len(before) > 2 and before[-2][:1].isupper() and not before[-1] and before[-3][-1:] not in ".!?:"
    return follows or (len(after) > 1 and not after[0] and after[1][:1].isupper())


def _is_name(word: str, opens_english: bool | None) -> bool:
    """Whether a word is written as a name; one that opens a sentence (English or not) would have its capital anyway."""
    bare = _bare(word)
    if not word[0].isupper() or len(bare) < 2 or bare in _NEVER_NAMES or is_number_word(bare):
        return False
    if opens_english is None or any(map(str.isupper, word[1:])):
        return True
    return not _is_common(bare, english=opens_english)


def _bare(word: str) -> str:
    """A name without what grammar and keyboards change: possessive, dots of an acronym, case, accents."""
    word = re.sub(r"['’](?:s|S)?$", "", word.replace(".", "")).casefold()
    return word if word.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", word)) or word


class _Source:
    """What a note is held against."""

    def __init__(self, text: str) -> None:
        self.text = _normal(text)
        self._folded = self.text.casefold()
        self.letters = f" {_letters(self.text)} "
        numbers = numbers_in(self.text)
        self._numbers = frozenset(value for number in numbers for value in number.values)
        self._percents = frozenset(value for number in numbers if number.percent for value in number.values)
        words = [match[0] for match in _WORD.finditer(self.text)]
        self._words = {form for word in words for part in _parts(word) for form in _forms(part)}
        self._initials = set(_initials(self.text))
        self.countries = {country for _, found in countries_named(self.text) for country in found}

    def has_number(self, number: Number) -> bool:
        """Whether the number stands here, or one of which it is the rounded form; percentages among percentages."""
        known = self._percents if number.percent else self._numbers
        if not known.isdisjoint(number.values):
            return True
        return bool(number.rounded) and any(
            rounds(exact, value, number.rounded) for value in number.values for exact in known
        )

    def has_code(self, code: str) -> bool:
        """Whether it stands here, with or without a space or a hyphen in it."""
        letters, digits = re.split(r"-?(?=\d)", code.casefold(), maxsplit=1)
        return re.search(rf"(?<!\w){letters}[ -]?{digits}(?![^\W_])", self._folded) is not None

    def has_name(self, word: str) -> bool:
        """Whether the name stands here, in another form, as an acronym, or as the people or city of its country."""
        bare = _bare(word)
        if not self._words.isdisjoint(_forms(word)) or bare in self._initials:
            return True
        if bare in _ABBREVIATED and word.isupper() and _ABBREVIATED[bare] in self._folded:
            return True
        if any(not self.countries.isdisjoint(countries) for _, countries in countries_named(word)):
            return True
        parts = [part for part in word.split("-") if part[:1].isupper()]
        return len(parts) < word.count("-") + 2 and "-" in word and bool(parts) and all(map(self.has_name, parts))


def _forms(word: str) -> set[str]:
    """A word as it may stand elsewhere: itself, without a plural's s, without what makes a people of a place."""
    bare = _bare(word)
    if "\u0400" <= bare[:1] <= "\u04ff":
        return {bare, _CASES.sub("", bare) or bare}
    forms = {bare, bare.removesuffix("s")} if len(bare) > 3 else {bare}
    return forms | {form.removesuffix(ending) for form in forms for ending in _PEOPLE if len(form) > len(ending) + 3}


def _parts(word: str) -> list[str]:
    """The parts of a compound: in a source each is a word too."""
    return [word, *(part for part in re.split("[-’']", word) if len(part) > 1)] if re.search("[-’']", word) else [word]


_LONGEST_ACRONYM = 6
_POINTS = re.compile(r"\b(South|North)e(?=ast)")
_CAPITALISED = r"[^\W\d_a-zß-öø-ÿ][\w'’]*"
_CAPITALISED_RUN = re.compile(
    rf"{_CAPITALISED}(?:(?:[ -]| & | (?:of|the|and|for|on|in|de|la|di|du|des|del) (?:the )?){_CAPITALISED})+"
)


def _initials(text: str) -> Iterator[str]:
    """Acronyms that the capitalised runs of a text may be shortened to, of two to six letters."""
    for run in _CAPITALISED_RUN.findall(text):
        # ASEAN is the Association of South-East Asian Nations.
        words = [word for word in re.split(r"[ -]", _POINTS.sub(r"\1 E", run)) if word]
        for start in range(len(words)):
            capitals = small = ""
            for word in words[start:]:
                capitals += word[0] if word[0].isupper() else ""
                small += word[0]
                if len(small) > _LONGEST_ACRONYM + 2:
                    break
                if word[0].isupper() and 2 <= len(capitals) <= _LONGEST_ACRONYM:
                    yield capitals.casefold()
                    yield small.casefold()


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
