"""An office, on SQLite and on PostgreSQL or on SQLite alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..deliver.recording_server import RecordingServer
from .office import Bell, Office, listening


@pytest.fixture
def bell() -> Iterator[Bell]:
    with listening() as heard:
        yield heard


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as taking:
        yield taking


@pytest.fixture
def office(tmp_path: Path, server: RecordingServer, bell: Bell) -> Iterator[Office]:
    opened = Office(tmp_path / "desk", server, bell)
    yield opened
    opened.room.close()


@pytest.fixture
def office_anywhere(tmp_path: Path, server: RecordingServer, bell: Bell, database_url: str) -> Iterator[Office]:
    opened = Office(tmp_path / "desk", server, bell, NEWSLETTER_DATABASE_URL=database_url)
    yield opened
    opened.room.close()
