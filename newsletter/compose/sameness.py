"""The same story twice: which of several copies an issue keeps."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from newsletter.model import Story
from newsletter.words import Counts, cosine, normalised, terms_of, text_of

__all__ = ["NEAR_IDENTICAL", "keys_of", "without_copies"]

NEAR_IDENTICAL = 0.85


def keys_of(story: Story) -> frozenset[tuple[str, str]]:
    """What makes two stories the same beyond doubt: identity, canonical URL, normalised title, an editor's word."""
    keys = {("id", story.id), ("url", story.url_canonical or story.url)}
    if story.cluster:
        keys.add(("cluster", story.cluster))
    if title := normalised(story.title):
        keys.add(("title", title))
    return frozenset(keys)


def without_copies(stories: Iterable[Story], priority: Mapping[str, int]) -> list[Story]:
    """Each story once: of copies the one whose source has the higher priority, then the earliest published.

    A copy shares a key, or its text is near-identical (cosine from .85). `priority` is by source id, 0 where
    it names none.
    """
    kept: list[Story] = []
    seen: set[tuple[str, str]] = set()
    texts = _Texts()
    for story in sorted(stories, key=lambda one: (-priority.get(one.source, 0), one.published_at, one.id)):
        counts = Counts(terms_of(text_of(story)))
        if seen.isdisjoint(keys := keys_of(story)) and not texts.hold_one_like(counts):
            kept.append(story)
            seen |= keys
            texts.add(counts)
    return kept


class _Texts:
    """Term counts met so far, found again by shared terms: only what shares half of them is compared."""

    def __init__(self) -> None:
        self._counts: list[Counts] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def hold_one_like(self, counts: Counts) -> bool:
        shared = Counter(place for term in counts for place in self._places[term])
        return any(
            cosine(counts, self._counts[place]) >= NEAR_IDENTICAL
            for place, terms in shared.items()
            if terms * 2 >= len(counts)
        )

    def add(self, counts: Counts) -> None:
        for term in counts:
            self._places[term].append(len(self._counts))
        self._counts.append(counts)
