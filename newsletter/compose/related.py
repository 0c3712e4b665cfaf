"""Related reading: other stories worth offering under a story, ranked by text (BM25) under house rules.

Measured on 6,366 headlines in 87 clusters (UCI News Aggregator, March 2014): see tests/compose/test_related_real.py.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

import bm25s
import numpy as np
import numpy.typing as npt

from newsletter.model import Related, Story, StoryStatus
from newsletter.words import Reading, Text, likeness, normalised, read, shared_readings, terms_of, text_of

__all__ = ["Index", "relate"]

# bm25s puts its own logger at DEBUG when imported, which a host's log would then print.
logging.getLogger("bm25s").setLevel(logging.WARNING)

K1, B = 1.5, 0.75

# From the story's own date, so that what was computed when it arrived stays right on its archive page.
WINDOW = timedelta(days=180)
HALF_LIFE = timedelta(days=30)

# The likeness (see words.py) from which two texts are the same. By the cosine of terms alone at .85, one headline
# in a hundred offered still had a plain-word cosine of .85 or more to its story ("UPDATE 1-…").
SAME_TEXT = 0.75
ALIKE_AMONG_CHOSEN = 0.70

# The floor: two shared words, and .15 of the score that the story has against itself. Of what is shown on the
# headline clusters .872 is right instead of .841 (against three places: .836 instead of .841). With a story's own
# cluster taken out, so that all that is left is junk, 64 % of the places are filled instead of all. Among 742 real
# summaries of feeds years apart, matches across feeds, nearly all junk, fall from 279 (at .10) to 87.
LEAST_WORDS = 2
LEAST_SHARE = 0.15

LOOKED_AT = 100
REASONS = 4


@dataclass(frozen=True, slots=True)
class _Candidate:
    story: Story
    score: float
    text: Text
    shared: Sequence[Reading]


class Index:
    """An index over a corpus, built once and asked often; asking changes nothing in it.

    A story that is held, withdrawn or under embargo may be in it: that is looked at when it would be offered.
    """

    def __init__(self, corpus: Iterable[Story]) -> None:
        self._stories = tuple(corpus)
        self._published = np.array([story.published_at.timestamp() for story in self._stories])
        self._vocabulary: dict[str, int] = {}
        self._frequencies: npt.NDArray[np.integer] = np.zeros(0, dtype=np.int64)
        self._bm25 = bm25s.BM25(k1=K1, b=B, method="lucene")
        ids = [self._numbered(terms_of(text_of(story))) for story in self._stories]
        self._mean_length = sum(map(len, ids)) / max(len(ids), 1)
        if self._vocabulary:
            self._bm25.index((ids, self._vocabulary), create_empty_token=False, show_progress=False)
            self._frequencies = np.diff(self._bm25.scores["indptr"])

    def related(
        self, story: Story, *, limit: int = 3, now: datetime, banned: Set[str] = frozenset()
    ) -> tuple[Related, ...]:
        """At most `limit` stories to offer under `story`, best first; fewer, or none, rather than junk.

        Never the story itself, an id in `banned`, another copy of the story or of one already chosen, a story
        that is not ready or is under embargo at `now`, or one published over 180 days before or after it.
        """
        text = read(text_of(story))
        chosen: list[_Candidate] = []
        for other, score in self._ranked(story, text.terms):
            if len(chosen) >= limit:
                break
            if other.id in banned or not _may_be_offered(other, story, now):
                continue
            candidate = _compared(other, score, text)
            if _is_worth_it(candidate, text, chosen):
                chosen.append(candidate)
        return tuple(self._offered(candidate) for candidate in chosen)

    def _numbered(self, terms: Iterable[str]) -> list[int]:
        vocabulary = self._vocabulary
        return [vocabulary.setdefault(term, len(vocabulary)) for term in terms]

    def _ranked(self, story: Story, counts: Counter[str]) -> list[tuple[Story, float]]:
        """The best of the corpus over the floor and inside the window, with scores (about 1 for the story itself).

        Country and section decide only between scores that are the same to .01, then the score, then the id.
        """
        known = [self._vocabulary[term] for term in counts if term in self._vocabulary]
        if not known:
            return []
        shares = self._bm25.get_scores_from_ids(known) / self._own_score(counts)
        rows = np.flatnonzero(shares >= LEAST_SHARE)
        days = np.abs(self._published[rows] - story.published_at.timestamp()) / timedelta(days=1).total_seconds()
        rows, days = rows[days <= WINDOW.days], days[days <= WINDOW.days]
        scores = shares[rows] * _weight(days)
        best = np.argsort(-scores, kind="stable")[:LOOKED_AT]
        pairs = zip(rows[best].tolist(), scores[best].tolist(), strict=True)
        return sorted(((self._stories[row], score) for row, score in pairs), key=lambda found: _order(found, story))

    def _own_score(self, counts: Counter[str]) -> float:
        """What the story scores against itself; a term new to the corpus counts as one that only it has."""
        length = K1 * (1 - B + B * counts.total() / self._mean_length)
        return sum(self._rarity(term) * count / (count + length) for term, count in counts.items())

    def _rarity(self, term: str) -> float:
        row = self._vocabulary.get(term)
        found = 1 if row is None else int(self._frequencies[row])
        return math.log(1 + (len(self._stories) - found + 0.5) / (found + 0.5))

    def _offered(self, candidate: _Candidate) -> Related:
        def rarity(reading: Reading) -> float:
            return sum(map(self._rarity, reading.terms))

        story = candidate.story
        telling = sorted(candidate.shared, key=rarity, reverse=True)[:REASONS]
        return Related(
            id=story.id,
            title=story.title,
            url=story.url,
            outlet=story.outlet,
            country=story.country,
            section=story.section,
            published_at=story.published_at,
            score=round(candidate.score, 4),
            reasons=tuple(reading.surface for reading in telling),
        )


def relate(
    stories: Iterable[Story],
    corpus: Iterable[Story],
    *,
    limit: int = 3,
    now: datetime,
    banned: Set[str] = frozenset(),
) -> dict[str, tuple[Related, ...]]:
    """Related reading for each of `stories` by id, out of `corpus`; an empty tuple where nothing is worth it.

    `banned` ids (the stories of the issue, and what an editor ruled out) are never offered.
    """
    index = Index(corpus)
    return {story.id: index.related(story, limit=limit, now=now, banned=banned) for story in stories}


def _weight(days: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """1 today, .75 after a half-life, never under .5: a plain half-life leaves 1/64 at the end of the window, where
    a weak match of today beats the very story that explains it. The headline clusters cannot judge it: they were
    collected cluster by cluster within two days, so that any decay "gains" .013 there by the clock alone."""
    return 0.5 + 0.5 * np.exp2(-days / HALF_LIFE.days)


def _order(found: tuple[Story, float], story: Story) -> tuple[float, bool, bool, float, str]:
    other, score = found
    elsewhere = other.country != story.country
    return -round(score, 2), elsewhere, other.section != story.section, -score, other.id


def _may_be_offered(other: Story, story: Story, now: datetime) -> bool:
    return (
        other.id != story.id
        and other.status is StoryStatus.READY
        and (other.embargo is None or other.embargo <= now)
        and (other.url_canonical or other.url) != (story.url_canonical or story.url)
        and normalised(other.title) != normalised(story.title)
    )


def _compared(other: Story, score: float, text: Text) -> _Candidate:
    its = read(text_of(other))
    return _Candidate(other, score, its, tuple(shared_readings(text, its)))


def _is_worth_it(candidate: _Candidate, text: Text, chosen: Iterable[_Candidate]) -> bool:
    return (
        sum(reading.words for reading in candidate.shared) >= LEAST_WORDS
        and likeness(candidate.text, text) < SAME_TEXT
        and not any(likeness(candidate.text, other.text) >= ALIKE_AMONG_CHOSEN for other in chosen)
    )
