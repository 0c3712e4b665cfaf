"""The same story twice: which of several copies an issue keeps, and what has stood in an issue before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from newsletter.model import Story
from newsletter.words import Counts, cosine, normalised, terms_of, text_of

__all__ = ["COPIES_WITHIN", "NEAR_IDENTICAL", "Apart", "keys_of", "told_before", "without_copies"]

NEAR_IDENTICAL = 0.85

COPIES_WITHIN = timedelta(days=3)
"""Two reports with one title weeks apart are two editions of a column, not copies."""

Apart = Mapping[str, Collection[str]]
"""By story id: the stories of which an editor said that they are no copies of it, however alike."""


def keys_of(story: Story) -> frozenset[tuple[str, str]]:
    """What copies share: identity, canonical URL, normalised title, an editor's word."""
    keys = {("id", story.id), ("url", story.url_canonical or story.url)}
    if story.cluster:
        keys.add(("cluster", story.cluster))
    if title := normalised(story.title):
        keys.add(("title", title))
    return frozenset(keys)


def without_copies(
    stories: Iterable[Story], priority: Mapping[str, int], apart: Apart = MappingProxyType({})
) -> list[Story]:
    """Each story once: of copies the one whose source has the higher priority, then the earliest published.

    A copy shares a key, or its text is near-identical (cosine from .85). `priority` is by source id, 0 where it names
    none.
    """
    told = _Told(apart)
    kept: list[Story] = []
    for story in sorted(stories, key=lambda one: (-priority.get(one.source, 0), one.published_at, one.id)):
        if told.copy_of(story) is None:
            kept.append(story)
            told.add(story)
    return kept


def told_before(stories: Iterable[Story], carried: Iterable[Story], apart: Apart) -> dict[str, str]:
    """Those of the stories that were carried, themselves or as a copy: the id of the carried one by theirs.

    Copies by title or text were published within three days of one another.
    """
    told = _Told(apart, COPIES_WITHIN)
    for story in carried:
        told.add(story)
    return {story.id: copy.id for story in stories if (copy := told.copy_of(story)) is not None}


class _Told:
    """Stories met so far, found again by their keys and by shared terms: what shares half of them is compared."""

    def __init__(self, apart: Apart, within: timedelta = timedelta.max) -> None:
        self._apart = apart
        self._within = within
        self._by_key: defaultdict[tuple[str, str], list[Story]] = defaultdict(list)
        self._stories: list[tuple[Story, Counts]] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, story: Story) -> None:
        for key in keys_of(story):
            self._by_key[key].append(story)
        counts = Counts(terms_of(text_of(story)))
        for term in counts:
            self._places[term].append(len(self._stories))
        self._stories.append((story, counts))

    def copy_of(self, story: Story) -> Story | None:
        apart = self._apart.get(story.id, ())
        copies = (*self._sharing_a_key(story), *self._near_identical(story))
        return next((copy for copy in copies if copy.id not in apart), None)

    def _sharing_a_key(self, story: Story) -> Iterator[Story]:
        for key in sorted(keys_of(story)):
            yield from (other for other in self._by_key[key] if key[0] != "title" or self._at_one_time(other, story))

    def _near_identical(self, story: Story) -> Iterator[Story]:
        counts = Counts(terms_of(text_of(story)))
        shared = Counter(place for term in counts for place in self._places[term])
        for place, terms in shared.items():
            other, its = self._stories[place]
            if terms * 2 >= len(counts) and self._at_one_time(other, story) and cosine(counts, its) >= NEAR_IDENTICAL:
                yield other

    def _at_one_time(self, one: Story, other: Story) -> bool:
        return abs(one.published_at - other.published_at) <= self._within
