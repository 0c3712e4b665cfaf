"""The ledger, as the carriers of one send share it: one commit at a time, and none is given up lightly.

It is called straight from the loop: its calls are commits of a few milliseconds, and a call that cannot be cancelled
half-way leaves no intent that nobody knows of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from newsletter.clock import Clock
from newsletter.deliver.drain import Drain
from newsletter.errors import StorageError
from newsletter.model import Outcome, Window
from newsletter.ports import Ledger

__all__ = ["NOTHING", "Recording"]

NOTHING: Mapping[int, Outcome] = MappingProxyType({})


class Recording:
    """Turns of the ledger. `pauses` are the seconds before each new try of a commit; `recorded` is told of each."""

    def __init__(
        self, ledger: Ledger, clock: Clock, drain: Drain, pauses: Sequence[float], recorded: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._drain = drain
        self._pauses = pauses
        self._recorded = recorded
        self._pen = asyncio.Lock()  # held while outcomes wait to be recorded: nothing is claimed meanwhile
        self._gave_up = False  # the ledger refused for good: others in hand get one try each

    async def turn(
        self, claim: int, carried: Window | None = None, outcomes: Mapping[int, Outcome] = NOTHING
    ) -> Window | None:
        """Commit a window's outcomes and the intent for the next, of up to `claim` recipients.

        Outcomes that the ledger refuses are kept and tried again, and nothing is claimed meanwhile; at last its
        `StorageError` is raised.
        """
        async with self._pen:
            try:
                window = self._commit(0 if self._drain.begun else claim, carried, outcomes)
                self._gave_up = False
            except StorageError as error:
                if carried is None:
                    raise
                await self._insist(carried, outcomes, error)
                window = None
        if carried is not None:
            self._recorded()
        return window

    async def _insist(self, carried: Window, outcomes: Mapping[int, Outcome], trouble: StorageError) -> None:
        for pause in () if self._gave_up else self._pauses:
            await asyncio.sleep(pause)
            try:
                self._commit(0, carried, outcomes)
            except StorageError as error:
                trouble = error
            else:
                return
        self._gave_up = True
        raise trouble

    def _commit(self, claim: int, carried: Window | None, outcomes: Mapping[int, Outcome]) -> Window | None:
        if carried is None and not claim:
            return None
        return self._ledger.turn(self._clock.now(), carried=carried, outcomes=list(outcomes.values()), claim=claim)
