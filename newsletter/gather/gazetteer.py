"""Which country a story is about, by the places it names; no answer where they do not agree.

Names in many languages come from CLDR; demonyms, capitals, cities and institutions from gazetteer.tsv. Persons are
not in it: they change office. Figures and limits: docs/decisions/0008-country.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from itertools import product
from string import ascii_uppercase

from newsletter.countries import is_country

__all__ = ["Guess", "countries_named", "guess_country"]

LEAST = 4.0
"""The score from which there is an answer: about one name of a country in a headline, or two signs in a summary."""

LEAD = 1.5
"""How many times the runner-up's score the answer needs."""

_WEIGHTS = {
    "name": 5.0,
    "demonym": 4.5,
    "capital": 4.0,
    "city": 4.0,
    "state": 4.0,
    "body": 4.0,
    "either": 1.5,
    "weak": 1.5,
}
# A country's name that is as often a person's is too little to answer by, and enough to leave no answer: "Jordan opens
# its border with Syria".
_DOUBT = 3.0
_TITLE, _ELSEWHERE, _DATED, _FIRST = 1.0, 0.5, 0.2, 1.0
_AGAIN, _MOST_AGAIN = 0.25, 2

# Languages whose names of countries are met in news; of the others the names are too often common words of these.
_LANGUAGES = (
    "en", "id", "ms", "vi", "de", "fr", "es", "pt", "it", "nl", "sv", "pl", "hu", "tr", "ru", "uk", "bg", "el", "ar",
    "fa", "he", "hi", "bn", "ta", "th", "ko", "ja", "zh", "zh_Hant",
)  # fmt: skip
_SHORTEST = 4
# As words these are as often a garment, a meeting, a state or a person as a place.
_NOT_BY_NAME = frozenset(("JE", "RE", "GE", "JO", "TD", "AQ", "UM", "IO"))
# So are these: names of countries in one language, and words, people or cities in another.
_NO_NAMES = frozenset(("island", "maurice", "granada", "indie", "grenade", "salvador", "cocos", "norfolk", "gana"))

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUN = re.compile(f"[{_UNSPACED}]+")
_ACRONYM = re.compile(r"\b(?:[A-Z]\.){2,}")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# "NEWARK, N.J. (AP) —" and its like say where a report was written, not what it is about.
_DATELINE = re.compile(r"[^.!?。]{2,60}?(?:\([A-Za-z .]{2,20}\)\s*[-–—]|[日号]\s?[讯電电訊]|\s[–—]\s)")
# Several headlines in one: what stands beneath belongs to any of them.
_DIGEST = re.compile(r"[；;].*[；;]")
# An organisation that is named for a country may be anywhere: alumni in Houston, a bank in Hong Kong.
_ORGANISATION = re.compile(
    ".{0,6}?(?:[协協]会|[协協]會|校友[会會]|[学學][会會]|[联聯]合[会會]|公司|[银銀]行|集[团團]|[银銀][联聯])"
)
_POSSESSIVE = re.compile(r"'s\b|s'(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Guess:
    """A country, how much speaks for it, who comes next, and the words that say so."""

    country: str
    score: float
    runner_up: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one term says: a weight for each country it is a sign of, none for a phrase that only looks like one."""

    weights: tuple[tuple[str, float], ...]
    capitals: bool = False
    doubtful: bool = False

    def halved(self) -> _Sign:
        """The same, saying half as much."""
        return replace(self, weights=tuple((country, weight / 2) for country, weight in self.weights))


@dataclass(slots=True)
class _Gazetteer:
    """Terms of spaced scripts by their first word, longest first; those of others by themselves."""

    words: dict[str, list[tuple[tuple[str, ...], _Sign]]]
    runs: dict[str, _Sign]
    longest_run: int


@dataclass(slots=True)
class _Tally:
    scores: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    doubts: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    evidence: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, text: str, share: float, *, first: float = 0.0) -> None:
        """Count the signs of one field; the first place a headline names gets something more."""
        met: dict[str, int] = defaultdict(int)
        for surface, sign in _signs(text):
            met[surface] += 1
            if met[surface] > 1 + _MOST_AGAIN:
                continue
            for country, weight in sign.weights:
                self.scores[country] += weight * share * (1.0 if met[surface] == 1 else _AGAIN)
                self.scores[country] += first
                if sign.doubtful:
                    self.doubts[country] = share * _DOUBT
                self.evidence[country][surface] = None
            if sign.weights:
                first = 0.0


def guess_country(title: str, summary: str = "", tags: Sequence[str] = (), section: str = "") -> Guess | None:
    """The country that a story's words speak of, or None: never a guess between two that are named alike.

    Texts are clean and in any language; a country is ISO 3166-1 alpha-2.
    """
    tally = _Tally()
    tally.add(title, _TITLE, first=_FIRST)
    if not _DIGEST.search(title):
        dateline = _DATELINE.match(summary)
        tally.add(summary[: dateline.end()] if dateline else "", _DATED)
        tally.add(summary[dateline.end() :] if dateline else summary, _ELSEWHERE)
    for tag in (*tags, section):
        tally.add(tag, _ELSEWHERE)
    if not tally.scores:
        return None
    score, country = max((score, country) for country, score in tally.scores.items())
    rivals = [(score + tally.doubts[rival], rival) for rival, score in tally.scores.items() if rival != country]
    most, runner_up = max(rivals, default=(0.0, None))
    if score < max(LEAST, LEAD * most):
        return None
    return Guess(country, round(score, 2), runner_up, tuple(tally.evidence[country]))


def countries_named(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The countries and peoples that a text names (no cities), each with the countries that it may mean."""
    for surface, sign in _signs(text):
        if countries := frozenset(country for country, weight in sign.weights if weight >= _WEIGHTS["demonym"]):
            yield surface, countries


def _signs(text: str) -> Iterator[tuple[str, _Sign]]:
    """The terms of the gazetteer in a text, longest first, none within another."""
    gazetteer = _gazetteer()
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    shouted = text.isupper()
    written = _words(text)
    folded = [word.casefold() for word in written]
    at = 0
    while at < len(folded):
        for term, sign in gazetteer.words.get(folded[at], ()):
            if tuple(folded[at : at + len(term)]) == term and _is_name(written[at], sign, shouted):
                yield " ".join(written[at : at + len(term)]), sign
                at += len(term) - 1
                break
        at += 1
    for run in _RUN.findall(text):
        yield from _signs_of_run(run, gazetteer)


def _signs_of_run(run: str, gazetteer: _Gazetteer) -> Iterator[tuple[str, _Sign]]:
    at = 0
    while at < len(run) - 1:
        for length in range(min(gazetteer.longest_run, len(run) - at), 1, -1):
            if (sign := gazetteer.runs.get(run[at : at + length])) is not None:
                named = _ORGANISATION.match(run, at + length)
                yield run[at : at + length], sign.halved() if named else sign
                at += length - 1
                break
        at += 1


def _is_name(word: str, sign: _Sign, shouted: bool) -> bool:
    """Whether it is written as a name: with a capital, or, for an acronym, in capitals where not all is."""
    if sign.capitals:
        return word.isupper() and not shouted
    return not word[0].islower()


def _words(text: str) -> list[str]:
    text = _ACRONYM.sub(lambda match: match[0].replace(".", "") + " ", text)
    return _WORD.findall(_POSSESSIVE.sub("", _RUN.sub(" ", text)))


@cache
def _gazetteer() -> _Gazetteer:
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    for term, country in _names():
        weights[term][country] = _WEIGHTS["name"]
    # A name that two countries have says nothing, unless the file below does.
    weights = defaultdict(dict, {term: places for term, places in weights.items() if len(places) == 1})
    stated: dict[str, dict[str, float]] = defaultdict(dict)
    doubtful: set[str] = set()
    for country, kind, term in _stated():
        if kind == "either":
            doubtful.add(term)
        stated[term] |= {} if kind == "phrase" else {country: max(_WEIGHTS[kind], stated[term].get(country, 0.0))}
    weights |= stated
    words: dict[str, list[tuple[tuple[str, ...], _Sign]]] = defaultdict(list)
    runs: dict[str, _Sign] = {}
    for term, places in weights.items():
        acronym = term.isupper() and len(term) < 6 and term.isascii()
        sign = _Sign(tuple(places.items()), capitals=acronym, doubtful=term in doubtful)
        if _RUN.search(term):
            runs[term.replace(" ", "")] = sign
        elif parts := tuple(word.casefold() for word in _words(term)):
            words[parts[0]].append((parts, sign))
    for terms in words.values():
        terms.sort(key=lambda found: -len(found[0]))
    return _Gazetteer(dict(words), runs, max(map(len, runs)))


def _names() -> Iterator[tuple[str, str]]:
    """Every name of a country in CLDR that is long enough to be one."""
    from babel import Locale

    codes = [code for pair in product(ascii_uppercase, repeat=2) if is_country(code := "".join(pair))]
    for language in _LANGUAGES:
        territories = Locale.parse(language).territories
        for code in codes:
            name = str(territories.get(code, "")).split(" (")[0]
            long_enough = 2 if _RUN.search(name) else _SHORTEST
            if code not in _NOT_BY_NAME and name.casefold() not in _NO_NAMES and len(name) >= long_enough:
                yield name, code


def _stated() -> Iterator[tuple[str, str, str]]:
    lines = (resources.files("newsletter.gather") / "gazetteer.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line.startswith("#"):
            country, kind, terms = line.split("\t")
            yield from ((country, kind, term) for term in terms.split(","))
