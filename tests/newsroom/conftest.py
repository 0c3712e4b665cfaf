"""A desk with an empty database, on SQLite and on PostgreSQL, and stories to put into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from newsletter.clock import Clock
from newsletter.model import IssueId, Story
from newsletter.newsroom import Newsroom, desks
from tests.desks import NEWSLETTER, approved_desk

NOW = datetime(2026, 5, 26, 21, 30, tzinfo=UTC)
MORNING = "2026-05-27T08:00:00+00:00"
GONE, NAME = "Zoë.Quist@example.org", "Zoë Quist"
OTHERS = [("ann@example.com", ""), ("ben@example.net", "Ben")]


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


@pytest.fixture
def _as_the_machines_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk's clock is believed, though a test has set it."""
    monkeypatch.setattr(Clock, "rehearsing", False)


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


@pytest.fixture(scope="session")
def readers_desks() -> dict[str, str]:
    """Databases of one desk that are made already, by kind; each test has a copy."""
    return {}


@pytest.fixture
def readers_desk(
    database_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, readers_desks: dict[str, str]
) -> Iterator[tuple[Newsroom, IssueId]]:
    """A desk with three readers, one of them to be erased, and an issue that is approved."""
    kind, folder = database_url.partition(":")[0], tmp_path / "desk"
    if kind not in readers_desks:
        first = tmp_path_factory.mktemp(kind) / "desk"
        url = f"sqlite:///{first.parent / 'first.db'}" if kind == "sqlite" else f"{database_url}_first"
        if kind != "sqlite":
            copied(f"{url.rpartition('/')[0]}/template1", url)
        approved_desk(
            first,
            {"NEWSLETTER_NOW": MORNING, "NEWSLETTER_DATABASE_URL": url},
            iter([OTHERS[0], (GONE, NAME), OTHERS[1]]),
        )
        (first / "readers.csv").unlink()  # the publisher's own file
        readers_desks |= {kind: url, "desk": str(first)} if "desk" not in readers_desks else {kind: url}
    copied(readers_desks[kind], database_url)
    shutil.copytree(readers_desks["desk"], folder)
    environ = {"NEWSLETTER_NOW": MORNING, "NEWSLETTER_DATABASE_URL": database_url}
    with Newsroom.open(folder, environ=environ) as room:
        yield room, IssueId.parse(f"{NEWSLETTER}/2026-05-27")


def copied(source: str, target: str) -> None:
    """Make a database that is like another one, which nobody has open."""
    if source.startswith("sqlite"):
        shutil.copy(source.removeprefix("sqlite:///"), target.removeprefix("sqlite:///"))
        return
    server, _, name = target.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source.rpartition('/')[2]}")
