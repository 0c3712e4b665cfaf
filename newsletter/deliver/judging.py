"""What a send learns from its answers: that a server refuses nearly everything, or that a message breaks the line."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Container

from newsletter.errors import LostLineError, RefusingError
from newsletter.model import DeliveryState, Outcome, Window

__all__ = ["VERDICTS", "Breaker", "Suspects"]

VERDICTS, _ENOUGH, _SHARE = 100, 50, 0.9
"""So many last answers are looked at, no fewer than so many, and that share of them makes the breaker trip."""

_LOST = frozenset({DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.UNKNOWN})
_NO_SUCH_READER = re.compile(r"5[0-9][0-9][ -]5\.1\.(?:1|2|3|6|10)\b")
"""Dead addresses (RFC 3463 and 7505), which speak of the list and not of us: the breaker leaves them out."""


class Breaker:
    """Trips when nearly everything is refused, cannot be made or is in doubt: that is about us then, and for good."""

    def __init__(self) -> None:
        self.tripped = False
        """Whether nothing more may leave."""
        self._verdicts: deque[bool] = deque(maxlen=VERDICTS)  # was it rejected, of the last ones
        self._words = ""

    @property
    def error(self) -> RefusingError:
        """Why, with the server's own words."""
        return RefusingError(
            f"{sum(self._verdicts)} of the last {len(self._verdicts)} messages were rejected, failed or lost"
            f" ({self._words}), so no more are sent; mend that first"
        )

    def judge(self, outcome: Outcome) -> None:
        """Take one answer into account."""
        rejected = outcome.state in _LOST
        if rejected and _NO_SUCH_READER.match(outcome.reply):
            return
        self._verdicts.append(rejected)
        if rejected and len(self._verdicts) >= _ENOUGH and sum(self._verdicts) >= _SHARE * len(self._verdicts):
            self.tripped, self._words = True, outcome.reply


class Suspects:
    """Messages at which the line was lost; one that is so twice is parked, so that it holds up nobody behind it."""

    def __init__(self) -> None:
        self._times: Counter[int] = Counter()

    def lost_at(self, window: Window, settled: Container[int], error: LostLineError) -> Outcome | None:
        """What becomes of the first of the window that is not settled, if it is to be parked."""
        at = next((one.delivery for one in window.recipients if one.delivery not in settled), None)
        if at is None:
            return None
        self._times[at] += 1
        if self._times[at] < 2:
            return None
        return Outcome(at, DeliveryState.DEFERRED, None, f"the line was lost at this message: {error}")
