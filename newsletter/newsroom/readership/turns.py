"""What the public sends at once is written one after the other, where the database has one writer."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext

from newsletter.newsroom.room import Newsroom

__all__ = ["in_turn"]

_TURN = threading.Lock()


def in_turn(room: Newsroom) -> AbstractContextManager[object]:
    """Stand in a row with the other threads of this process for the length of one write; not to be nested.

    SQLite has one writer, and who waits for it looks again after ever longer naps: of many at once some would be
    overtaken for seconds, and in a flood be refused in the end. PostgreSQL has them all write.
    """
    return _TURN if room.database.is_sqlite else nullcontext()
