"""The numbers of a text, in digits, words or Han numerals, each with all that it may mean.

"1.200" is two numbers until one knows who wrote it; so is "3" in "3-4 million".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

__all__ = ["Number", "is_number_word", "numbers_in", "rounds"]

_SCALES = {
    "k": 3, "thousand": 3, "tn": 12, "trn": 12, "trillion": 12, "bn": 9, "b": 9, "billion": 9, "m": 6, "mn": 6,
    "mln": 6, "million": 6, "lakh": 5, "lakhs": 5, "crore": 7, "crores": 7, "hundred": 2, "dozen": 0,
    "成": 0, "割": 0, "十": 1, "百": 2, "千": 3, "万": 4, "萬": 4, "百万": 6, "億": 8, "亿": 8, "兆": 12,
    "ribu": 3, "juta": 6, "miliar": 9,
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
_QUARTER = re.compile(r"\b(?:Q(?P<digit>[1-4])|(?P<word>first|second|third|fourth)[- ]quarter)\b")
_UNCOUNTED = frozenset(("one", "two", "zero", "first", "second"))

_NUMBER = re.compile(
    r"(?P<digits>\d+(?:[.,'\u2009\u00a0 ](?=\d{3}(?!\d))\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
    r"(?:\s?-?(?P<scale>trillion|billion|million|thousand|hundred|lakhs?|crores?|trn|tn|bn|mln|mn|juta|miliar|ribu"
    r"|百万|[十百千万萬億亿兆]|[成割](?!为)|[kKmMbB](?![A-Za-z])))?",
)
_WORD_NUMBER = re.compile(
    rf"\b(?P<word>{'|'.join(sorted((*_WORDS, *_ORDINALS), key=len, reverse=True))})"
    rf"(?:-(?P<unit>{'|'.join(list(_WORDS)[1:10])}))?\b"
    r"(?:[ -](?P<scale>trillion|billion|million|thousand|hundred|dozen)\b)?",
    re.IGNORECASE,
)
_HAN_NUMBER = re.compile(
    "[〇零一二两兩三四五六七八九十百千]+(?P<scale>[万萬亿億兆]?)(?=[名人个個年月日岁歲家次元美%％成割倍届屆位万萬亿億兆])"
)
# How a rounded number lies to the exact one: at or over it, at or under it, or either.
_ABOVE = r"nearly|almost|less than|under|up to|close to|fewer than|below|hampir|近|将近|將近"
_BELOW = r"over|more than|at least|above|exceeding|lebih dari|超过|超過|逾"
_AROUND = r"about|around|some|roughly|approximately|just|sekitar|约|約"
_ABOUT = re.compile(rf"(?:(?P<above>{_ABOVE})|(?P<below>{_BELOW})|{_AROUND})\s*[$€£¥₹]?\s*$", re.IGNORECASE)
_ROUGHLY = Decimal("0.06")
_PERCENT = re.compile(
    r"\s?-?(?:%|per ?cent|pct|pc\b|percentage|points?\b|persen|p[eo]r cento|por ciento|pour cent|prozent|процент|відсот"
    r"|퍼센트|パーセント|ポイント|个百分点|個百分點)",
    re.IGNORECASE,
)
# 3, 4 and 5 percent: what is between the numbers of a list or a range that share what follows the last.
_SHARING = re.compile(r"(?:\s?[-–~/至到]\s?|,? (?:and|to|or|y|et|und|dan|hingga) |, |[、和与與])[$€£¥₹]?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands, and what it may mean: "1.200" is two numbers until one knows who wrote it.

    `rounded` is the word before it that says it is not exact.
    """

    text: str
    values: frozenset[Decimal]
    rounded: str = ""
    percent: bool = False


def numbers_in(text: str) -> list[Number]:
    """Every number of a text that is in NFKC, however it is written."""
    return [*_quarters(text), *_numerals(text), *_number_words(text), *_han_numbers(text)]


def is_number_word(word: str) -> bool:
    """Whether a case-folded English word is a number or an ordinal."""
    return word in _WORDS or word in _ORDINALS


def _quarters(text: str) -> Iterator[Number]:
    """Q1 and the first quarter, as numbers below zero: nothing else is one."""
    for match in _QUARTER.finditer(text):
        number = int(match["digit"]) if match["digit"] else _ORDINALS[match["word"]]
        yield Number(match[0], frozenset((Decimal(-number),)))


def _numerals(text: str) -> Iterator[Number]:
    matches = [match for match in _NUMBER.finditer(text) if not _QUARTER.match(text, match.start() - 1)]
    percent, scale = False, ""
    found: list[Number] = []
    for match, following in zip(reversed(matches), [None, *reversed(matches)], strict=False):
        shares = following is not None and _SHARING.fullmatch(text, match.end(), following.start())
        percent = bool(_PERCENT.match(text, match.end())) or bool(shares and percent)
        own = (match["scale"] or "").lower()
        scale = own or (scale if shares else "")
        readings = list(_readings(match["digits"]))
        values = {value * Decimal(10) ** _SCALES.get(own, 0) for value in readings}
        values |= {value * Decimal(10) ** _SCALES.get(scale, 0) for value in readings}
        if own in ("成", "割"):
            percent, values = True, {value * 10 for value in readings}
        found.append(Number(match[0].strip(), frozenset(values), _rounding(text, match.start()), percent))
    yield from reversed(found)


def _rounding(text: str, start: int) -> str:
    about = _ABOUT.search(text, max(0, start - 24), start)
    return "" if about is None else about.lastgroup or "around"


def _number_words(text: str) -> Iterator[Number]:
    for match in _WORD_NUMBER.finditer(text):
        word = match["word"].lower()
        if word in _UNCOUNTED and not match["scale"]:
            continue
        value = _WORDS.get(word, _ORDINALS.get(word, 0)) + _WORDS.get((match["unit"] or "").lower(), 0)
        factor = 12 if match["scale"] == "dozen" else 10 ** _SCALES.get((match["scale"] or "").lower(), 0)
        percent = bool(_PERCENT.match(text, match.end()))
        rounded = _rounding(text, match.start())
        yield Number(match[0], frozenset((Decimal(value * factor),)), rounded, percent)


def _han_numbers(text: str) -> Iterator[Number]:
    for match in _HAN_NUMBER.finditer(text):
        value = _han(match[0].removesuffix(match["scale"])) * 10 ** _SCALES.get(match["scale"], 0)
        before, after = text[max(0, match.start() - 3) : match.start()], text[match.end() : match.end() + 2]
        tenths = after[:1] in ("成", "割") and after != "成为"
        if value > 2 or tenths:
            percent = tenths or before == "百分之" or bool(_PERCENT.match(text, match.end()))
            yield Number(match[0], frozenset((Decimal(value * 10 if tenths else value),)), percent=percent)


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


def rounds(exact: Decimal, shown: Decimal, how: str) -> bool:
    """Whether `shown` is `exact` in fewer digits, at most 6 % from it and on the side that "nearly" or "over" says."""
    if (how == "above" and shown < exact) or (how == "below" and shown > exact):
        return False
    digits = [len(value.normalize().as_tuple().digits) for value in (exact, shown)]
    return digits[1] < digits[0] and abs(exact - shown) <= _ROUGHLY * exact
