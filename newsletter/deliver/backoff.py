"""When a deferred message is tried again."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["backoff"]

_FIRST = timedelta(minutes=5)  # greylisting servers let a stranger in after five minutes as a rule
_LONGEST = timedelta(hours=2)


def backoff(attempts: int) -> timedelta:
    """How long to wait after the `attempts`-th try (from 1): 5 minutes, doubling to 2 hours.

    Doubling also suits a daily quota (452, 454): a day holds about 15 tries, so the issue's time to live ends it,
    never a count of attempts.
    """
    return min(_FIRST * (1 << min(max(attempts, 1) - 1, 10)), _LONGEST)
