"""A real SQLite file with the tables of the house, fresh for every test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from subscribers.database import upgrade
from subscribers.house import Subscribers

NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an upgraded, empty database: copying them is faster than migrating for each test."""
    path = tmp_path_factory.mktemp("empty") / "newsletter.db"
    engine = create_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def engine(tmp_path: Path, empty_database: bytes) -> Iterator[Engine]:
    path = tmp_path / "newsletter.db"
    path.write_bytes(empty_database)
    engine = create_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def house(engine: Engine) -> Subscribers:
    return Subscribers(engine)
