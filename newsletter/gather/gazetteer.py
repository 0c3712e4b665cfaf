"""Which country a story is about, by the places it names; no answer where they do not agree.

Names in many languages come from CLDR, and cities where it has them; demonyms, capitals, cities and institutions from
gazetteer.tsv. Persons are not in it: they change office. Figures and limits: docs/decisions/0008-country.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from itertools import product, zip_longest
from string import ascii_uppercase

from newsletter.countries import is_country
from newsletter.words import MARKS

__all__ = ["Guess", "countries_named", "guess_country"]

LEAST = 4.0
"""The score from which there is an answer: about one name of a country in a headline, or two signs in a summary."""

LEAD = 1.5
"""The answer scores more than this many times the runner-up: a country, then another's capital, is no answer."""

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
# So are these: names of countries in one language, and words, people or cities in another or in their own.
_NO_NAMES = frozenset(
    (
        "island", "maurice", "granada", "indie", "grenade", "salvador", "cocos", "norfolk", "gana",
        "chili", "말리", "오만", "수단", "가나", "인도", "가봉", "มาลี", "ชาด", "กานา",
    )
)  # fmt: skip
# Of the cities in other languages these are words or other places: a club and a people, a fly, ladies, Monday.
_NO_CITIES = frozenset(("Roma", "Mosca", "Damas", "Vienne", "Saint-Domingue", "دوشنبه"))

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_RUN = re.compile(f"[{_UNSPACED}]+")
# Words of Hindi, Tamil or Arabic hold combining marks, which are no \w: without them "लाल" would be "ल" and "ल".
_LETTERS = rf"(?:(?![{_UNSPACED}])[^\W_]|[{MARKS}])+"
_WORD = re.compile(rf"\b(?:[A-Z]\.){{2,}}|{_LETTERS}(?:'{_LETTERS})*")
# English and Turkish put an apostrophe before what they add to a name: London's, Londra'da, İstanbul'un.
_ENDING = re.compile(r"(?<=.)'(?:s|[dt][ae]n?|n?[ıiuü]n|[yn][ıiuüae]|[ıiuü])$", re.IGNORECASE)
# In a headline that is all capitals this one acronym may be a word.
_WORDS_TOO = frozenset(("US",))

# A name in katakana is the whole of its word: no タイ in タイトル. One in Hangul begins its word, and what follows is a
# particle, a suffix of places and peoples, or a word that states have: no 이란 in 꿈이란, no 부탄 in 부탄가스.
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc-\u30fe]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")
_AFTER_HANGUL = re.compile(
    "(?:정부|당국|대사관|대통령|총리|외교부|국방부|중앙은행|증시|경제|법원|경찰|언론|기업|시민|국민|군|인|인들|산|발|식|계|측|판|제|행|내)?"
    "(?:이|가|은|는|을|를|의|에|에서|에서는|에는|에도|에게|엔|와|과|도|로|으로|로부터|만|까지|부터|보다|마저|조차|이나|나|이라|라|서|선)?"
    "(?![\uac00-\ud7a3])"
)
# "NEWARK, N.J. (AP) —" and its like say where a report was written, not what it is about.
_DATELINE = re.compile(r"[^.!?。]{2,60}?(?:\([A-Za-z .]{2,20}\)\s*[-–—]|[日号]\s?[讯電电訊]|\s[–—]\s)")
# Several headlines in one: what stands beneath belongs to any of them.
_DIGEST = re.compile(r"[；;].*[；;]")
# An organisation that is named for a place may be anywhere, as its people may, and in its wars and crises others act:
# alumni in Houston, a bank in Hong Kong, ボストン・ダイナミクス.
_HALF = re.compile(
    ".{0,6}?(?:[协協][会會]|校友|[学學][会會]|[联聯]合[会會]|公司|[银銀]行|集[团團]|[银銀][联聯]|製鉄|航空)"
    "|(?<=[\u30a1-\u30fc])・(?=[\u30a1-\u30fa])|人(?!口|工|民|大)|裔|[籍系](?!统)|冲突|衝突|[战戰][争爭]|[危紛纠][机機争爭纷]|戦争|紛争|危機|侵攻"
)
# What is named for a country and is found everywhere: food, breeds, illnesses, languages, stones.
_THING = re.compile(
    "料理|餐[厅廳馆館]|菜[馆館谱譜]|风味|風味|牧羊犬|[队隊][长長]|[鹅鵝]|豆|[脑腦]炎|[艳豔][后後]|風邪|村|石(?!油|化)|[猫貓狗犬]"
    "|[语語](?!言)|カレー|パン|ワイン|バル|コーヒー|そば|酒(?![店吧])"
)
# The outlet's name that sites put behind their titles.
_OUTLET = re.compile(r"(?<=\S)\s[|｜]\s[^|｜]{1,40}$")

# A share's sign, as wires write it: Carbide <UK>.
_TICKER = re.compile(r"<[A-Z.]{1,6}>")


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
    state: bool = False

    @property
    def countries(self) -> frozenset[str]:
        """Of which it is a sign."""
        return frozenset(country for country, _ in self.weights)

    def halved(self) -> _Sign:
        """The same, saying half as much."""
        return replace(self, weights=tuple((country, weight / 2) for country, weight in self.weights))


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of a script with spaces, as its words are written in the gazetteer."""

    words: tuple[str, ...]
    sign: _Sign

    def stands(self, words: Sequence[str], *, shouted: bool) -> bool:
        """Whether these are its words, with capitals where it has them; an acronym is capitals, and no shouted word."""
        if len(words) != len(self.words):
            return False
        if self.sign.capitals:
            return words[0] == self.words[0] and not (shouted and words[0] in _WORDS_TOO)
        return all(
            word.casefold() == own.casefold() and not (own[0].isupper() and word[0].islower())
            for word, own in zip(words, self.words, strict=True)
        )


@dataclass(slots=True)
class _Gazetteer:
    """Terms of spaced scripts by their first word, longest first; those of others by themselves."""

    words: dict[str, list[_Term]]
    runs: dict[str, _Sign]
    longest_run: int


_AMERICAN = _Sign((("US", _WEIGHTS["state"]),), state=True)
_NOTHING = (0, 0, "", _Sign(()))
# AP style, and the postal codes that are no word or country beside a comma.
_STATE = re.compile(
    r",\s(?:(?:Ala|Ariz|Ark|Calif|Colo|Conn|Del|Fla|Ga|Ill|Ind|Kan|Ky|La|Md|Mass|Mich|Minn|Miss|Mo|Mont|Neb|Nev|N\.H|N\.J"
    r"|N\.M|N\.Y|N\.C|N\.D|Okla|Ore|Pa|R\.I|S\.C|S\.D|Tenn|Tex|Vt|Va|Wash|W\.Va|Wis|Wyo)\."
    r"|(?:AL|AZ|AR|CA|CO|CT|FL|GA|IL|KS|KY|LA|MD|MA|MI|MN|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|PA|RI|SC|SD|TN|TX|VT|VA|WA|WI|WV|WY)\b)"
)


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
                self.scores[country] += first if weight >= LEAST else 0.0
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
    title = _TICKER.sub(" ", _OUTLET.sub("", title))
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
    if score < LEAST or score <= LEAD * most:
        return None
    return Guess(country, round(score, 2), runner_up, tuple(tally.evidence[country]))


def countries_named(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The countries and peoples that a text names (no cities), each with the countries that it may mean."""
    for surface, sign in _signs(text):
        if countries := frozenset(country for country, weight in sign.weights if weight >= _WEIGHTS["demonym"]):
            yield surface, countries


def _signs(text: str) -> Iterator[tuple[str, _Sign]]:
    """The terms of the gazetteer in a text, longest first, none within another."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'")
    yield from _signs_of_words(text)
    for run in _RUN.findall(text):
        yield from _signs_of_run(run)


def _signs_of_words(text: str) -> Iterator[tuple[str, _Sign]]:
    """Those in scripts that put spaces between words; the place in "Lebanon, Pennsylvania" is Pennsylvania alone."""
    shouted = text.isupper()
    words = list(_WORD.finditer(text))
    written = [_written(word[0]) for word in words]
    found: list[tuple[int, int, str, _Sign]] = []
    at = 0
    while at < len(words):
        terms = _gazetteer().words.get(written[at].casefold(), ())
        for term in terms:
            end = at + len(term.words)
            dotted = "." in words[at][0]
            if term.stands(written[at:end], shouted=shouted and not dotted):
                found.append((words[at].start(), words[end - 1].end(), " ".join(written[at:end]), term.sign))
                at = end - 1
                break
        at += 1
    for (_, end, surface, sign), (start, *_, following) in zip_longest(found, found[1:], fillvalue=_NOTHING):
        if state := _STATE.match(text, end):
            yield surface + state[0], _AMERICAN
        elif not (following.state and text[end:start] == ", " and sign.countries.isdisjoint(following.countries)):
            yield surface, sign


def _written(word: str) -> str:
    return _ENDING.sub("", word.replace(".", ""))


def _signs_of_run(run: str) -> Iterator[tuple[str, _Sign]]:
    """Those in a run of a script that puts no spaces between words."""
    gazetteer = _gazetteer()
    at = 0
    while at < len(run) - 1:
        for length in range(min(gazetteer.longest_run, len(run) - at), 1, -1):
            sign = gazetteer.runs.get(run[at : at + length])
            if sign is not None and _is_word(run, at, at + length):
                if not _THING.match(run, at + length):
                    yield run[at : at + length], sign.halved() if _HALF.match(run, at + length) else sign
                at += length - 1
                break
        at += 1


def _is_word(run: str, start: int, end: int) -> bool:
    """Whether a slice of a run begins and ends where a word does, so far as its script tells."""
    if _KATAKANA.fullmatch(run, start, end):
        return not (start and _KATAKANA.match(run, start - 1)) and not _KATAKANA.match(run, end)
    if _HANGUL.fullmatch(run, start, end):
        return not (start and _HANGUL.match(run, start - 1)) and _AFTER_HANGUL.match(run, end) is not None
    return True


@cache
def _gazetteer() -> _Gazetteer:
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    for term, country in _names():
        weights[term][country] = _WEIGHTS["name"]
    # A name that two countries have says nothing, unless the file below does.
    weights = defaultdict(dict, {term: places for term, places in weights.items() if len(places) == 1})
    stated: dict[str, dict[str, float]] = defaultdict(dict)
    doubtful: set[str] = set()
    states: set[str] = set()
    for country, kind, term in _stated():
        if kind == "either":
            doubtful.add(term)
        if kind in {"state", "weak"}:
            states.add(term)
        stated[term] |= {} if kind == "phrase" else {country: max(_WEIGHTS[kind], stated[term].get(country, 0.0))}
    for term, country, weight in _cities(stated):
        if term not in weights:
            weights[term][country] = weight
    weights |= stated
    words: dict[str, list[_Term]] = defaultdict(list)
    runs: dict[str, _Sign] = {}
    for term, places in weights.items():
        acronym = term.isupper() and len(term) < 6 and term.isascii()
        sign = _Sign(tuple(places.items()), capitals=acronym, doubtful=term in doubtful, state=term in states)
        if _RUN.search(term):
            runs[term.replace(" ", "")] = sign
        elif parts := tuple(_written(word) for word in _WORD.findall(term)):
            words[parts[0].casefold()].append(_Term(parts, sign))
    for terms in words.values():
        terms.sort(key=lambda term: -len(term.words))
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


def _cities(stated: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, str, float]]:
    """The cities of gazetteer.tsv for which CLDR names a time zone, as other languages write them.

    Chinese and Japanese ones are in the file: there two characters are a word too often.
    """
    from babel import Locale
    from babel.core import get_global

    english = Locale.parse("en").time_zones
    for zone, country in get_global("zone_territories").items():
        city = english.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " ")
        weight = stated.get(city, {}).get(country, 0.0)
        if weight < LEAST:
            continue
        for language in _LANGUAGES:
            name = str(Locale.parse(language).time_zones.get(zone, {}).get("city", ""))
            long_enough = 3 if _RUN.search(name) else _SHORTEST
            if len(name) >= long_enough and name not in _NO_CITIES and language not in {"zh", "zh_Hant", "ja"}:
                yield name, country, weight


def _stated() -> Iterator[tuple[str, str, str]]:
    lines = (resources.files("newsletter.gather") / "gazetteer.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line.startswith("#"):
            countries, kind, terms = line.split("\t")
            yield from ((country, kind, term) for term in terms.split(",") for country in countries.split(","))
