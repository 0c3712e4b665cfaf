"""Stories and a newsletter to compose from, with everything a test does not speak of filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from newsletter.compose import WINDOW, Offer, chosen, rank
from newsletter.model import Related, Sender, Story, StoryStatus
from newsletter.plan.values import Newsletter
from newsletter.storage.story_index import Indexed, StoryIndex
from newsletter.words import read, text_of

NOW = datetime(2026, 5, 26, 21, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    """05:30 in Singapore on 27 May 2026: when the draft of that day is built."""
    return NOW


@pytest.fixture(scope="session")
def a_story() -> Callable[..., Story]:
    def make(name: str, title: str = "", **fields: Any) -> Story:
        usual: dict[str, Any] = {
            "source": "wire",
            "external_id": name,
            "url": f"https://example.com/{name}",
            "title": title or f"Headline {name}",
            "outlet": "Wire",
            "country": "CN",
            "published_at": NOW,
        }
        return Story(**(usual | fields))

    return make


def offers(stories: Iterable[Story], corpus: Iterable[Story]) -> dict[str, list[Offer]]:
    """What may be offered under each story, by a real index in memory and the rules of the room."""
    asked = list(stories)
    everything = {story.id: story for story in (*corpus, *asked)}
    rows = dict(enumerate(everything.values(), start=1))
    index = StoryIndex(None)
    index.put((Indexed(row, text_of(story), story.published_at) for row, story in rows.items()), 1)
    row_of = {story.id: row for row, story in rows.items()}
    found = {}
    for story in asked:
        terms = read(text_of(story)).terms
        like = index.like(terms, after=story.published_at - WINDOW, until=story.published_at + WINDOW, limit=40)
        own = dict(like).get(row_of[story.id], 1.0)
        ready = [(rows[row], score / own) for row, score in like if rows[row].status is StoryStatus.READY]
        found[story.id] = rank(story, ready, index.rarity)
    return found


def relate(
    stories: Iterable[Story], corpus: Iterable[Story], *, limit: int = 3, now: datetime, banned: Set[str] = frozenset()
) -> dict[str, tuple[Related, ...]]:
    """What a reader sees under each story."""
    told = frozenset(("id", name) for name in banned)
    found = offers(stories, corpus)
    return {name: chosen(rows, limit=limit, now=now, told=told) for name, rows in found.items()}


def nothing(stories: Iterable[Story]) -> dict[str, list[Offer]]:
    """No related reading at all."""
    return {}


@pytest.fixture(scope="session")
def a_newsletter() -> Callable[..., Newsletter]:
    def make(**fields: Any) -> Newsletter:
        usual: dict[str, Any] = {
            "name": "asia-ai-daily",
            "title": "Asia AI Daily",
            "at": time(7),
            "timezone": ZoneInfo("Asia/Singapore"),
            "days": frozenset(range(1, 6)),
            "sender": Sender("Asia AI Daily", "daily@example.com"),
            "postal_address": "1 Example Street, Singapore",
            "countries": ("CN", "JP", "asia"),
        }
        return Newsletter(**(usual | fields))

    return make
