"""Stories and a newsletter to compose from, with everything a test does not speak of filled in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from newsletter.model import Sender, Story
from newsletter.plan.values import Newsletter

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
