"""Whether what a model wrote stands in what it was given: every number, and every name.

It finds made-up facts, not wrong ones: "did not" for "did" passes, and so does a name put in another's place where both
stand in the story. That is why an editor reads each note. Figures: docs/decisions/0009-summaries.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from newsletter.gather.gazetteer import countries_named
from newsletter.words import is_empty_word

__all__ = ["Doubt", "unsupported"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A number or a name that the source does not have, as the note writes it."""

    what: str
    text: str

    def __str__(self) -> str:
        return f"the {self.what} {self.text!r} does not stand in the story"


def unsupported(note: Sequence[str], source: str) -> list[Doubt]:
    """The numbers and names of the note that the source text does not have, each once, in the note's order."""
    known = _Source(source)
    doubts = [
        doubt
        for paragraph in note
        for doubt in (*_doubtful_numbers(_normal(paragraph), known), *_doubtful_names(_normal(paragraph), known))
    ]
    return list(dict.fromkeys(doubts))


# --- numbers -----------------------------------------------------------------------------------------------

_SCALES = {
    "k": 3, "thousand": 3, "tn": 12, "trn": 12, "trillion": 12, "bn": 9, "b": 9, "billion": 9, "m": 6, "mn": 6,
    "mln": 6, "million": 6, "lakh": 5, "lakhs": 5, "crore": 7, "crores": 7, "hundred": 2, "dozen": 0,
    "十": 1, "百": 2, "千": 3, "万": 4, "萬": 4, "百万": 6, "億": 8, "亿": 8, "兆": 12, "ribu": 3, "juta": 6,
    "miliar": 9,
}  # fmt: skip
_WORDS = {
    word: value
    for value, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        )
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
             "ninth": 9, "tenth": 10}  # fmt: skip
_HAN = {han: value for value, han in enumerate("〇一二三四五六七八九")} | {"两": 2, "兩": 2, "零": 0}
# Words that count nothing: "one of them", "on the one hand", "two sides", "first of all", "seconds".
_UNCOUNTED = frozenset(("one", "two", "zero", "first", "second"))

_NUMBER = re.compile(
    r"(?P<digits>\d+(?:[.,'\u2009\u00a0 ](?=\d{3}(?!\d))\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
    r"\s?-?(?P<scale>trillion|billion|million|thousand|hundred|lakhs?|crores?|trn|tn|bn|mln|mn|juta|miliar|ribu"
    r"|百万|[十百千万萬億亿兆]|[kKmMbB](?![A-Za-z]))?",
)
_WORD_NUMBER = re.compile(
    rf"\b(?P<word>{'|'.join(sorted((*_WORDS, *_ORDINALS), key=len, reverse=True))})"
    rf"(?:-(?P<unit>{'|'.join(list(_WORDS)[1:10])}))?\b"
    r"(?:[ -](?P<scale>trillion|billion|million|thousand|hundred|dozen)\b)?",
    re.IGNORECASE,
)
_HAN_NUMBER = re.compile(
    "[〇零一二两兩三四五六七八九十百千]+(?P<scale>[万萬亿億兆]?)(?=[名人个個年月日岁歲家次元美%％成倍届屆位万萬亿億兆])"
)
_ABOUT = re.compile(
    r"(?:about|around|nearly|almost|over|more than|less than|under|some|roughly|approximately|up to|at least|close to"
    r"|just|hampir|sekitar|约|約|近|超过|超過|逾)\s*[$€£¥₹]?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Number:
    """A number as it stands, and what it may mean: "1.200" is two numbers until one knows who wrote it."""

    text: str
    values: frozenset[Decimal]
    rounded: bool = False


def _numbers(text: str) -> Iterator[_Number]:
    taken: list[tuple[int, int]] = []
    for match in _NUMBER.finditer(text):
        taken.append(match.span())
        shift = Decimal(10) ** _SCALES.get((match["scale"] or "").lower(), 0)
        values = frozenset(value * shift for value in _readings(match["digits"]))
        yield _Number(match[0].strip(), values, bool(_ABOUT.search(text[max(0, match.start() - 24) : match.start()])))
    for match in _WORD_NUMBER.finditer(text):
        word = match["word"].lower()
        if word in _UNCOUNTED and not match["scale"]:
            continue
        value = _WORDS.get(word, _ORDINALS.get(word, 0)) + _WORDS.get((match["unit"] or "").lower(), 0)
        factor = 12 if match["scale"] == "dozen" else 10 ** _SCALES.get((match["scale"] or "").lower(), 0)
        yield _Number(match[0], frozenset((Decimal(value * factor),)))
    for match in _HAN_NUMBER.finditer(text):
        value = _han(match[0].removesuffix(match["scale"])) * 10 ** _SCALES.get(match["scale"], 0)
        if value > 2:
            yield _Number(match[0], frozenset((Decimal(value),)))


def _readings(digits: str) -> Iterator[Decimal]:
    """What a numeral may mean: with points or commas between thousands, and either before what is less than one."""
    plain = re.sub(r"['\u2009\u00a0 ]", "", digits)
    for text in {plain.replace(",", ""), plain.replace(".", "").replace(",", ".")}:
        try:
            yield Decimal(text).normalize()
        except InvalidOperation:
            continue


def _han(text: str) -> int:
    total = current = 0
    for character in text:
        if character in _HAN:
            current = current * 10 + _HAN[character] if current and "十" not in text else _HAN[character]
        else:
            total += (current or 1) * 10 ** _SCALES[character]
            current = 0
    return total + current


def _doubtful_numbers(text: str, known: _Source) -> Iterator[Doubt]:
    for number in _numbers(text):
        if known.numbers.isdisjoint(number.values) and not (number.rounded and known.rounds_to(number.values)):
            yield Doubt("number", number.text)


# --- names -------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\.?(?:[A-Za-z]\.)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;•–—]\s+|\n)[\"'“‘«(\[]*$")
# Korean of Korea, Taiwanese of Taiwan, Iraqi of Iraq: what makes a people of a place.
_PEOPLE = ("n", "an", "ian", "ese", "i", "ish")
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc]{3,}")
_QUOTED = re.compile("[「『《〈]([^「」『』《》〈〉]{2,30})[」』》〉]")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{2,}")
# What a word that opens a sentence ends with when it is no name.
_COMMON_ENDINGS = re.compile(
    r".{2,}(?:s|ly|ing|ed|tion|sion|ment|ness|ity|ship|ism|ance|ence|age|ure|ive|ous|ful|less|able|ible|al|ic|wth|ght)$"
)
_OPENERS = """
according although amid analyst annual any anyone apart around artist author average bank battery beside bigger
board body book border both budget building business buyer camera campaign capital captain car care case cash cause
central centre chair chance change charge cheap cheaper chief child children choice citizen city civil claim clearly
climate clinic club coal coast code college comment commission committee community company consumer contract control
cost council country couple course court cover crime crisis critic crop culture currency customer daily danger data
day deal death debate debt decade defence delay demand design despite detail device diplomat director doctor
domestic double driver drought drug dry early economist economy editor effort eight election employee energy
engineer even event every evidence expert export fact factory family far farmer fear few fewer figure finally firm
five flood food for foreign four fuel fund future gas global gold government great group half hardware health heat
help high higher history hope hospital house housing import income industry inflation inside instead interest
investor it job judge labour large last late later law lawyer leader less local long lower maker market meanwhile
member military minister money month mr mrs ms much music national network new news next no not nothing now office
official oil old on once one open opposition order other our output overall parent part partner party past patient
people police policy political poor power president press price private production profit progress project proof
public question rain rare rate rather reader real recent reform region regulator report research revenue rice rise
rival road rule safety sale school science scientist sea second security sell seven sharp short simple six small so
soft software solar some south state steel still stock story strong student study such supply support talk tax
teacher team tech technology ten that the their then there these they third this those three time top total tourism
town trade trader training travel trend trouble trust twelve two union unlike until up user value victim visitor
vote voter wage war water weak wealth weather week what when where whether while who why wider wind with woman women
work worker world year yet young
"""
_COMMON_OPENERS = frozenset(_OPENERS.split())


def _doubtful_names(text: str, known: _Source) -> Iterator[Doubt]:
    for match in _WORD.finditer(text):
        word = match[0].rstrip(".") if match[0].count(".") == 1 else match[0]
        if _is_name(word, opens=bool(_SENTENCE_START.search(text[: match.start()]))) and not known.has_name(word):
            yield Doubt("name", word)
    for name in (*_KATAKANA.findall(text), *_QUOTED.findall(text)):
        if name not in known.text:
            yield Doubt("name", name)
    for run in _CJK.findall(text):
        for surface, countries in countries_named(run):
            if surface not in known.text and known.countries.isdisjoint(countries):
                yield Doubt("name", surface)


def _is_name(word: str, *, opens: bool) -> bool:
    """Whether a word is written as a name; one that opens a sentence would have its capital anyway."""
    bare = _bare(word)
    if not word[0].isupper() or len(bare) < 2 or is_empty_word(bare):
        return False
    if opens and not word.isupper() and not any(map(str.isupper, word[1:])):
        return bare not in _COMMON_OPENERS and bare not in _WORDS and not _COMMON_ENDINGS.fullmatch(bare)
    return bare not in _WORDS and bare not in _ORDINALS


def _bare(word: str) -> str:
    """A name without what grammar adds: possessive, dots of an acronym, case."""
    word = re.sub(r"['’](?:s|S)?$", "", word.replace(".", ""))
    return word.casefold()


class _Source:
    """What a note is held against."""

    def __init__(self, text: str) -> None:
        self.text = _normal(text)
        self.numbers = frozenset(value for number in _numbers(self.text) for value in number.values)
        words = [match[0] for match in _WORD.finditer(self.text)]
        self._words = {form for word in words for form in _forms(word)}
        self._initials = set(_initials(words))
        self.countries = {country for _, found in countries_named(self.text) for country in found}

    def rounds_to(self, values: Iterable[Decimal]) -> bool:
        """Whether a number here is one of these when it is rounded as roughly as they are written."""
        for value in values:
            shown = max(1, len(value.normalize().as_tuple().digits))
            if any(known and _rounded(known, shown) == value for known in self.numbers):
                return True
        return False

    def has_name(self, word: str) -> bool:
        """Whether the name stands here, in another form, as an acronym, or as the people or city of its country."""
        if not self._words.isdisjoint(_forms(word)) or _bare(word) in self._initials:
            return True
        return any(not self.countries.isdisjoint(countries) for _, countries in countries_named(word))


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1)).normalize()


def _forms(word: str) -> set[str]:
    """A word as it may stand elsewhere: itself, without a plural's s, and the parts of a compound."""
    bare = _bare(word)
    parts = {bare, *(part for part in re.split("[-’']", bare) if len(part) > 2)}
    parts |= {part.removesuffix("s") for part in parts if len(part) > 3}
    return parts | {part.removesuffix(ending) for part in parts for ending in _PEOPLE if len(part) > len(ending) + 3}


def _initials(words: Sequence[str]) -> Iterator[str]:
    """Acronyms that runs of two to six words of the text may be shortened to."""
    named = [word for word in words if word[0].isupper() or len(word) > 3]
    for start in range(len(named)):
        for length in range(2, 7):
            run = named[start : start + length]
            if len(run) == length and all(word[0].isupper() for word in run):
                yield "".join(word[0] for word in run).casefold()


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
