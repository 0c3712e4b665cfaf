"""An extract: the sentences of a text that say most of it, whole and in its order.

LexRank (Erkan and Radev, 2004) over the terms that sentences share, with likeness to the title and place in the
text. Plain Python, since nothing else here needs numpy: 4 ms for forty sentences, in a child process with few MiB.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from newsletter.gather.cleaning import clean_text, shorten
from newsletter.words import terms_of

__all__ = ["extract", "sentences"]

_READ_CHARACTERS = 16_001  # one more than clean_text reads: it sees that this is a beginning
_READ_SENTENCES = 60
# Chosen on the standfirsts of The Guardian's feed; docs/decisions/0009-summaries.md.
_RANK, _TITLE, _POSITION, _DANGLING = 0.3, 0.3, 0.4, 0.25
_DAMPING, _ROUNDS = 0.85, 12
_SAME_AGAIN, _LEAST_TERMS = 0.7, 3
_HEADING_CHARACTERS = 100
_UNMARKED_CHARACTERS = 90
_LONGEST_QUOTE = 400

_MARK = "\ue000"  # for private use: survives cleaning, stands in nobody's text
_BLOCK = re.compile(
    r"(?:<|&(?:amp;)*lt;)/?(?:address|article|aside|blockquote|dd|div|dt|fig(?:ure|caption)|footer|h[1-6r]|header|li|ol"
    r"|p|pre|section|table|t[dhr]|ul)\b|(?:<br\s*/?>\s*){2,}|\n\s*\n",
    re.IGNORECASE,
)
_CLOSERS = "\"'”’»)\\]」』】）》"
_END = re.compile(rf"(?<![.!?…؟।])[.!?…؟।]{{1,8}}[{_CLOSERS}]{{0,4}}(?=\s)|[。！？｡]{{1,8}}[{_CLOSERS}]{{0,4}}")
_ENDED = re.compile(rf"[.!?…؟।。！？｡][{_CLOSERS}]{{0,4}}$")
_ENDED_UNSPACED = re.compile(rf"[。！？｡][{_CLOSERS}]{{0,4}}$")
_CUT_OFF = re.compile(r"(?:…|\.\.\.)[\])]?$")
_LAST_WORD = re.compile(r"[^\s(\[“\"'‘]+$")
_SHORT = """adm al approx apr art aug ave brig bros ca capt cf ch cmdr co col corp dec dept det dr ed est etc feb fig fr
fri gen gov hon inc jan jr jul jun lt ltd maj mar messrs mme mr mrs ms mt no nos nov oct op p pp pres prof rep reps rev
sen sens sep sept sgt sr st supt tel thu tue univ vol vs bzw evtl ggf mio mrd nr usw z.b e.g i.e a.m p.m ph.d
г гг им млн млрд руб тыс ул"""
_ABBREVIATIONS = frozenset(_SHORT.split())
# Words too ("no", "est", "fin"): short for something only before a number.
_SHORT_BEFORE_NUMBERS = frozenset(("art", "ch", "ed", "est", "fig", "mar", "no", "nos", "op", "p", "vol"))
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]$")
_COMMON = """a an and at but he her his i if in it its on she since so that the their there these they this those we
what when while who with you"""
_STARTERS = frozenset(_COMMON.split())
_LEANING = """also and but he her hers him his however instead it its meanwhile nor or she so still that their them then
these they this those yet 但 他 她 它 而 这 此外 不过 しかし また そして 그러나 또 이"""
_DANGLERS = frozenset(_LEANING.split())
_OPENED = {"“": "”", "「": "」", "『": "』", "（": "）", "(": ")", "«": "»", "《": "》"}
_THAI = re.compile("[\u0e01-\u0e4e]")
_DATELINE = re.compile(
    r"^[A-Z][A-Z .'’/-]{2,40}(?:, [A-Z][\w. ]{2,20}){0,2}(?:,? ?\([A-Z][\w ,.-]{1,20}\))? ?[-–—]{1,2} ?(?=[A-Z“\"])"
    r"|^(?:本报|新华社|中新社|中新网|央视)[^，。！？]{0,20}[电讯](?:[\s（(][^）)]{2,24}[）)])?[\s:：]*"
)
_CHAFF = re.compile(
    r"^(?:(?:read|see|learn|find out) (?:more|the (?:full|rest))\b|(?:continue|keep) reading\b|see also\b|also read\b"
    r"|related(?: \w+)?:|more (?:on|from) this\b|(?:please )?(?:click|tap) (?:here|on)\b|sign up (?:for|to|here)\b"
    r"|subscribe (?:to|now|here|for)\b|follow (?:us|me|\w+ on)\b|share (?:this|on)\b|advertisement\b"
    r"|this (?:article|story|post) (?:was|first|originally|is part)\b|the post .{1,200} appeared (?:first )?on\b"
    r"|(?:photo(?:graph|s)?|image|picture|video|credit|source)s?(?: by| credits?)?\s*[:©]|copyright\b|©"
    r"|(?:photo(?:graph)?|image|picture)s? (?:by|courtesy)\b|all rights reserved|have something to add"
    r"|baca juga\b|leia (?:mais|também)\b|lire aussi\b|lesen sie (?:auch|mehr)\b|leer más\b|читайте также|фото:"
    r"|责任编辑|责编|编辑[:：]|图片?(?:来源)?[:：]|阅读原文|扫码|関連記事|続きを読む|写真[:：＝]|画像[:：]"
    r"|출처\s*[:=]|무단\s*전재|อ่านต่อ|อ่านเพิ่มเติม|ภาพ\s*[:：])|getty images\b.{0,20}$|\(reporting by .{1,200}\)$",
    re.IGNORECASE,
)
_CREDITED = re.compile(
    r"(?:photo(?:graph|s)?|image|picture)s?(?: by| credits?| courtesy)?\s*[:©]|getty images|写真[:：＝]|图片来源",
    re.IGNORECASE,
)
_CAPTION_CHARACTERS = 300
_BYLINE = re.compile(
    r"^(?:by|von|par|por|oleh|текст:|文[|｜/／:：]|作者[:：]|記者[:：]?|记者[:：]?)\s?[^.!?。]{1,60}$", re.IGNORECASE
)


def extract(title: str, markup: str, limit: int) -> str:
    """At most `limit` characters of a text, which may be a publisher's markup: all of it if it fits, else its essence.

    Whole sentences only, unless not even one fits: then the first, cut. Without `title`, and without what stands around
    an article: invitations to read more, credits and, in a longer text, headings and bylines. The same text always
    gives the same extract.
    """
    blocks = [_without_title(block, title) for block in _blocks(markup)]
    units = [unit for block in blocks for unit in sentences(block) if not _CHAFF.search(unit)]
    whole = _joined(units)
    if len(whole) <= limit:
        return whole
    units = _prose(blocks)[:_READ_SENTENCES]
    counts = [Counter(terms_of(unit)) for unit in units]
    likeness = _likenesses(counts)
    chosen: list[int] = []
    for at in _best_first(title, units, counts, likeness):
        if chosen and (
            len(counts[at]) < _LEAST_TERMS or max(likeness[at].get(each, 0.0) for each in chosen) > _SAME_AGAIN
        ):
            continue
        if len(_joined([units[each] for each in sorted((*chosen, at))])) <= limit:
            chosen.append(at)
    return _joined([units[at] for at in sorted(chosen)]) or shorten(units[0], limit)


def sentences(text: str) -> list[str]:
    """The sentences of one block; a Thai one is broken at spaces, since Thai marks no end of a sentence."""
    found: list[str] = []
    begun = 0
    for match in _END.finditer(text):
        if _is_end(text, match) and not _quote_is_open(text, begun, match.end()):
            found.append(text[begun : match.end()].strip())
            begun = match.end()
    if rest := text[begun:].strip():
        found.append(rest)
    return [part for sentence in found for part in _phrases(sentence)]


def _blocks(markup: str) -> list[str]:
    """The paragraphs, headings and captions as plain text, in order."""
    marked = _BLOCK.sub(_MARK + r"\g<0>", markup[:_READ_CHARACTERS].replace(_MARK, ""))
    return [block for block in map(str.strip, clean_text(marked).split(_MARK)) if block]


def _prose(blocks: Sequence[str]) -> list[str]:
    """The sentences of the article itself: without bylines, headings and captions, and without a last one broken off.

    What ends without a mark is a heading only where other sentences have one.
    """
    kept: list[str] = []
    unmarked: set[int] = set()
    for block in blocks:
        if len(block) <= _CAPTION_CHARACTERS and _CREDITED.search(block):
            continue
        its = [_DATELINE.sub("", sentence, count=1) for sentence in sentences(block)]
        its = [sentence for sentence in its if sentence and not _CHAFF.search(sentence) and not _BYLINE.match(sentence)]
        kept += its
        if its and len(its[-1]) <= _HEADING_CHARACTERS and not _ENDED.search(its[-1]):
            unmarked.add(len(kept) - 1)
    if kept and _CUT_OFF.search(kept[-1]):
        unmarked.add(len(kept) - 1)
    return [sentence for at, sentence in enumerate(kept) if at not in unmarked] or kept or [" ".join(blocks)]


def _without_title(block: str, title: str) -> str:
    """The block without a title that stands before it, but not where its first sentence begins with those words."""
    rest = block.removeprefix(title)
    return rest.lstrip() if not rest or rest[0].isspace() else block


def _is_end(text: str, match: re.Match[str]) -> bool:
    if match[0][0] in "。！？｡":
        # 「…。」と述べた goes on.
        return len(match[0]) == 1 or text[match.end() : match.end() + 1] not in tuple("とっ的，、,")
    following = text[match.end() : match.end() + 32].lstrip(" \"'“‘«([「『")
    if not following or following[0].islower():
        return not following
    if match[0][0] != "." or len(match[0]) > 1:
        return True
    word = _LAST_WORD.search(text, max(0, match.start() - 24), match.start())
    return word is None or not _is_abbreviation(word[0], following)


def _is_abbreviation(word: str, following: str) -> bool:
    """Whether the full stop after `word` is its own. After "U.S." a sentence ends only if a common word begins one."""
    bare = word.casefold()
    if bare in _SHORT_BEFORE_NUMBERS:
        return following[0].isdigit()
    return (bare in _ABBREVIATIONS or _INITIALS.match(word) is not None) and not _starts(following)


def _starts(following: str) -> bool:
    return following.split()[0].strip(",").casefold() in _STARTERS


def _quote_is_open(text: str, begun: int, end: int) -> bool:
    """Whether a quotation that began is not over; one that nobody closes is given up."""
    if end - begun > _LONGEST_QUOTE:
        return False
    odd = text.count('"', begun, end) % 2 == 1
    return odd or any(text.count(mark, begun, end) > text.count(_OPENED[mark], begun, end) for mark in _OPENED)


def _phrases(sentence: str) -> Iterator[str]:
    if len(sentence) <= _UNMARKED_CHARACTERS or len(_THAI.findall(sentence)) * 3 < len(sentence):
        yield sentence
        return
    begun = 0
    for space in re.finditer(r"(?<=[\u0e01-\u0e4e]) (?=[\u0e01-\u0e4e])", sentence):
        if space.start() - begun >= _UNMARKED_CHARACTERS:
            yield sentence[begun : space.start()]
            begun = space.end()
    yield sentence[begun:]


def _joined(units: Sequence[str]) -> str:
    text = ""
    for unit in units:
        text += unit if not text or _ENDED_UNSPACED.search(text, len(text) - 8) else f" {unit}"
    return text


def _best_first(
    title: str, units: Sequence[str], counts: Sequence[Counter[str]], likeness: Sequence[Mapping[int, float]]
) -> list[int]:
    ranks = _ranks(likeness)
    highest = max(ranks)
    wanted = set(terms_of(title))
    scores = []
    for at, (unit, terms) in enumerate(zip(units, counts, strict=True)):
        named = len(terms.keys() & wanted) / math.sqrt(len(terms) * len(wanted)) if terms and wanted else 0.0
        score = _RANK * ranks[at] / highest + _TITLE * named + _POSITION / (1 + at)
        scores.append(score - _DANGLING * _dangles(unit))
    return sorted(range(len(units)), key=lambda at: (-scores[at], at))


def _dangles(unit: str) -> bool:
    """Whether it leans on the sentence before it, which a reader of the extract may not see."""
    first = re.match(r"[\W_]*(\w+)", unit)
    word = first[1].casefold() if first else ""
    return word in _DANGLERS or word[:1] in _DANGLERS or word[:2] in _DANGLERS


def _likenesses(counts: Sequence[Counter[str]]) -> list[dict[int, float]]:
    """For each sentence the cosine (term counts, rare terms weighing more) to those with which it shares a term."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for at, terms in enumerate(counts):
        for term in terms:
            holders[term].append(at)
    weight = {term: math.log(1 + len(counts) / len(where)) for term, where in holders.items()}
    lengths = [math.sqrt(sum((n * weight[term]) ** 2 for term, n in terms.items())) or 1.0 for terms in counts]
    found: list[dict[int, float]] = [{} for _ in counts]
    for term, where in holders.items():
        if len(where) == 1:
            continue
        square = weight[term] ** 2
        for i in where:
            mine, row = counts[i][term] * square / lengths[i], found[i]
            for j in where:
                if i != j:
                    row[j] = row.get(j, 0.0) + mine * counts[j][term] / lengths[j]
    return found


def _ranks(likeness: Sequence[Mapping[int, float]]) -> list[float]:
    """LexRank: how often a walk from sentence to like sentence comes by."""
    size = len(likeness)
    ways = [(row, sum(row.values())) for row in likeness]
    ranks = [1 / size] * size
    for _ in range(_ROUNDS):
        nowhere = sum(rank for rank, (_, total) in zip(ranks, ways, strict=True) if not total)
        following = [(1 - _DAMPING + _DAMPING * nowhere) / size] * size
        for rank, (row, total) in zip(ranks, ways, strict=True):
            for other, value in row.items():
                following[other] += _DAMPING * rank * value / total
        ranks = following
    return ranks
