"""One request at a time to one host from this process, with a pause between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["PAUSE_SECONDS", "turn"]

PAUSE_SECONDS = 1.0


@dataclass
class _Host:
    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0


_hosts: dict[str, _Host] = {}
_guard = threading.Lock()


@contextmanager
def turn(host: str) -> Iterator[None]:
    """Wait for our turn with the host and hold it for the block."""
    with _guard:
        found = _hosts.setdefault(host, _Host())
    with found.lock:
        time.sleep(max(0.0, found.free_at - time.monotonic()))
        try:
            yield
        finally:
            found.free_at = time.monotonic() + PAUSE_SECONDS
