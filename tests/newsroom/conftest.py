"""A desk with an empty database, on SQLite and on PostgreSQL, and stories to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.model import Story
from newsletter.newsroom import Newsroom, desks

NOW = datetime(2026, 5, 26, 21, 30, tzinfo=UTC)


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Newsroom]:
    folder = tmp_path / "desk"
    desks.make_sample_desk(folder)
    with Newsroom.open(folder, {"database_url": database_url, "now": NOW.isoformat()}, environ={}) as room:
        desks.upgrade(room)
        yield room


@pytest.fixture
def light_room(tmp_path: Path) -> Iterator[Newsroom]:
    """On SQLite alone, for what does not depend on the database."""
    folder = tmp_path / "desk"
    desks.make_sample_desk(folder)
    with Newsroom.open(folder, {"now": NOW.isoformat()}, environ={}) as room:
        yield room


@pytest.fixture(scope="session")
def a_story() -> Callable[..., Story]:
    def make(name: str, title: str, *, hours_ago: float = 1, **fields: Any) -> Story:
        usual: dict[str, Any] = {
            "source": "wire",
            "external_id": name,
            "url": f"https://example.com/{name}",
            "title": title,
            "outlet": "Wire",
            "country": "CN",
            "published_at": NOW - timedelta(hours=hours_ago),
        }
        return Story(**(usual | fields))

    return make
