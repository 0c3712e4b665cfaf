"""What was read from the database and still stands there, because nobody has written since."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

__all__ = ["Standing"]

_MOST = 1000

_Value = TypeVar("_Value")


class Standing:
    """Small answers that are asked for at every request, from one SQLite file; usable from several threads.

    SQLite tells for the price of a look at shared memory whether another connection of any process has committed
    (`PRAGMA data_version`, sqlite.org/pragma.html): about 5 µs, where a question through SQLAlchemy costs 150.
    PostgreSQL has nothing that is cheaper than the question itself.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        # It only ever looks: were it to write, its own commits would not change what it is told.
        self._witness: sqlite3.Connection | None = None
        self._version: int | None = None
        self._known: dict[Hashable, object] = {}
        self._lock = threading.Lock()

    def of(self, key: Hashable, ask: Callable[[], _Value]) -> _Value:
        """The value of `ask`, which is called anew once anything has been written."""
        with self._lock:
            version = self._look()
            if version is None or version != self._version or len(self._known) >= _MOST:
                self._version = version
                self._known.clear()
            elif key in self._known:
                known: _Value = self._known[key]  # type: ignore[assignment]
                return known
        value = ask()
        with self._lock:
            # What is written while it is asked shows in the version that the next one to ask sees.
            if version == self._version and version is not None:
                self._known[key] = value
        return value

    def close(self) -> None:
        """Close the file; it is opened again when somebody asks."""
        with self._lock:
            if self._witness is not None:
                self._witness.close()
            self._witness = self._version = None

    def _look(self) -> int | None:
        """The version of what stands there; None for a file that cannot be read, which the question itself explains."""
        try:
            if self._witness is None:
                # Without `mode=rw` a file that is not there would be made.
                address = f"{self._file.absolute().as_uri()}?mode=rw"
                self._witness = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            version: int
            (version,) = self._witness.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        return version
