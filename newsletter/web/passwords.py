"""Passwords on screens: two at a time are hashed, and whoever changes their guard shows theirs once more."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException

from newsletter.newsroom.people.accounts import LONGEST_PASSWORD
from newsletter.web.asking import Ask
from newsletter.web.throttle import Throttle

__all__ = ["hashing", "shows_password", "too_many"]

BUSY_SECONDS = 2

_throttle = Throttle(5, 15 * 60.0)
# argon2id takes 64 MB for each password it looks at (argon2-cffi's defaults, RFC 9106's low-memory profile).
_at_once = threading.BoundedSemaphore(2)
# Whoever waits has one of the forty threads that readers' pages need too: a flood of passwords has these few.
_in_line = threading.BoundedSemaphore(8)


@contextmanager
def hashing() -> Iterator[None]:
    """A place to hash or check a password in; raises 429 where none gets free within two seconds, or where so many wait
    already."""
    if not _in_line.acquire(blocking=False):
        raise _busy()
    try:
        found = _at_once.acquire(timeout=BUSY_SECONDS)
    finally:
        _in_line.release()
    if not found:
        raise _busy()
    try:
        yield
    finally:
        _at_once.release()


def _busy() -> HTTPException:
    return HTTPException(429, "Too many people are logging in. Try again in a moment.")


def shows_password(ask: Ask) -> bool:
    """Whether the field `password` holds that of whoever is logged in; raises 429 after five wrong ones."""
    assert ask.account is not None
    too_many(_throttle.wait(ask.account.id))
    _throttle.fail(ask.account.id)
    with hashing():
        found = ask.room.accounts.check_password(ask.account.email, ask.field("password")[:LONGEST_PASSWORD])
    if found is None:
        return False
    _throttle.forgive(ask.account.id)
    return True


def too_many(wait: float) -> None:
    """Raise 429 where there are seconds to wait."""
    if wait:
        raise HTTPException(
            429,
            f"Too many tries. Wait {math.ceil(wait / 60)} min, then try again.",
            {"retry-after": str(math.ceil(wait))},
        )
