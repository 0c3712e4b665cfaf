"""A database of this version, of either kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from newsletter.storage import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as opened:
        opened.upgrade()
        yield opened
