"""Related reading: which stories are worth offering under a story, and why.

The candidates come from an index of all stories, ranked by the words they share (BM25); here are the house rules.
Measured on 6,366 headlines in 87 clusters (UCI News Aggregator, March 2014): see docs/decisions/0010-related.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.compose.sameness import keys_of
from newsletter.model import Related, Story, StoryStatus
from newsletter.words import Reading, Text, cosine, grams_of, likeness, normalised, read, shared_readings, text_of

__all__ = ["KEPT", "WINDOW", "Offer", "chosen", "rank"]

WINDOW = timedelta(days=180)
"""From the story's own date, so that what was computed when it arrived stays right on its archive page."""

HALF_LIFE = timedelta(days=30)

KEPT = 10
"""How many offers are kept of each story: an issue leaves out those it carries itself, and still finds three."""

# The likeness (see words.py) from which two texts are the same. At .85 by words alone, one headline in a hundred that
# were offered still had a cosine of .85 or more to its story by one measure or another ("UPDATE 1-…").
SAME_TEXT = 0.75
ALIKE_AMONG_CHOSEN = 0.70

# The floor. A single shared word must weigh more. Of what is shown on the headline clusters .864 is right instead of
# .850, and .848 instead of .850 against three places; among 1,206 real stories of feeds years apart, pairs across
# feeds, nearly all junk, fall from 431 (at .15) to 113.
LEAST_SCORE = 0.20
LEAST_FOR_ONE_WORD = 0.25

REASONS = 4


@dataclass(frozen=True, slots=True)
class Offer:
    """A story worth offering under another, how much (0 to 1), and the words they share, the most telling first."""

    story: Story
    score: float
    reasons: tuple[str, ...] = ()
    pinned: bool = False


def rank(
    story: Story,
    candidates: Iterable[tuple[Story, float]],
    rarity: Callable[[str], float],
    limit: int = KEPT,
) -> list[Offer]:
    """At most `limit` of the candidates, best first; fewer, or none, rather than junk.

    `candidates` come with their share: the BM25 score of the story's words against them, as a part of its score
    against itself. Never the story itself, another copy of it or of one already chosen, or one published over 180 days
    before or after it. The score is the mean of the share and of how alike the titles are in pieces of their words,
    weighed by distance in time; country and section decide only between scores that are the same to .01.
    """
    text, title, name = read(text_of(story)), grams_of(story.title), normalised(story.title)
    weighed = (
        (other, (share + cosine(title, grams_of(other.title))) / 2 * _weight(story, other))
        for other, share in candidates
        if _is_another(other, story)
    )
    kept: list[tuple[Offer, Text]] = []
    for other, score in sorted(weighed, key=lambda found: _order(found, story)):
        if len(kept) >= limit:
            break
        if score < LEAST_SCORE or normalised(other.title) == name:
            continue
        its = read(text_of(other))
        shared = list(shared_readings(text, its))
        if score < LEAST_FOR_ONE_WORD and sum(reading.words for reading in shared) < 2:
            continue
        if likeness(its, text) >= SAME_TEXT or any(likeness(its, text_) >= ALIKE_AMONG_CHOSEN for _, text_ in kept):
            continue
        kept.append((Offer(other, round(score, 4), _telling(shared, rarity)), its))
    return [offer for offer, _ in kept]


def chosen(offers: Sequence[Offer], *, limit: int, now: datetime, told: Set[tuple[str, str]]) -> tuple[Related, ...]:
    """The first `limit` of a story's offers that a reader may see at `now`, as they stand; pinned ones first.

    `told` are the keys (see sameness.py) of the stories of the issue: neither they nor copies of them are offered.
    """
    fitting = [
        offer
        for offer in sorted(offers, key=lambda offer: not offer.pinned)
        if offer.story.status is StoryStatus.READY
        and (offer.story.embargo is None or offer.story.embargo <= now)
        and offer.story.published_at <= now
        and told.isdisjoint(keys_of(offer.story))
    ]
    return tuple(_related(offer) for offer in fitting[:limit])


def _related(offer: Offer) -> Related:
    story = offer.story
    return Related(
        id=story.id,
        title=story.title,
        url=story.url,
        outlet=story.outlet,
        country=story.country,
        section=story.section,
        published_at=story.published_at,
        score=offer.score,
        reasons=offer.reasons,
    )


def _is_another(other: Story, story: Story) -> bool:
    return (
        other.id != story.id
        and abs(other.published_at - story.published_at) <= WINDOW
        and (other.url_canonical or other.url) != (story.url_canonical or story.url)
    )


def _weight(story: Story, other: Story) -> float:
    """1 on the same day, .75 after a half-life, never under .5: a plain half-life leaves 1/64 at the end of the window,
    where a weak match of today beats the very story that explains it (docs/decisions/0010-related.md has figures)."""
    return 0.5 + 0.5 * 2 ** -(abs(other.published_at - story.published_at) / HALF_LIFE)


def _order(found: tuple[Story, float], story: Story) -> tuple[float, bool, bool, float, str]:
    other, score = found
    return -round(score, 2), other.country != story.country, other.section != story.section, -score, other.id


def _telling(shared: Iterable[Reading], rarity: Callable[[str], float]) -> tuple[str, ...]:
    most = sorted(shared, key=lambda reading: sum(map(rarity, reading.terms)), reverse=True)
    return tuple(reading.surface for reading in most[:REASONS])
