"""One conversation: window after window of messages on one line, each answer written down as it comes."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from newsletter.clock import Clock
from newsletter.deliver.drain import Drain
from newsletter.deliver.judging import Breaker, Suspects
from newsletter.deliver.pace import throttles
from newsletter.deliver.recording import NOTHING, Recording
from newsletter.deliver.relay_time import RelayTime
from newsletter.errors import LostLineError, ThrottledError, TransportError
from newsletter.model import DeliveryState, Message, Outcome, Recipient, Window
from newsletter.ports import Connection, Ledger

__all__ = ["MOST", "Conversations", "Told", "windows_in"]

_FIRST, MOST = 50, 500
_SECONDS = 2.0
"""A line's windows have 50 recipients at first, then as many as it carries in two seconds, up to 500. Each costs a
commit, and a drain waits for whole windows: wide ones are fast, and those of a slow server stay small."""

_MADE_AT_ONCE = 50
"""Messages made in one go: between two of 50 KB that are written, the processor has forgotten how to make the next (a
tenth of the time of a whole send)."""

_ANY = 1_000_000_000
_ANSWERED = frozenset({DeliveryState.SUBMITTED, DeliveryState.DEFERRED, DeliveryState.REJECTED})


def windows_in(ready: int, window: int) -> int:
    """How many first windows so many recipients make."""
    return math.ceil(ready / min(_FIRST, window))


@dataclass(slots=True)
class Told:
    """What one conversation came to: was anything claimed for it, did the server answer, did it take any message, did
    it carry all that one may, what ended it early; and of its last window: did the server complain of too much, and how
    much was that."""

    claimed: bool = False
    answered: bool = False
    took: bool = False
    spent: bool = False
    throttled: bool = False
    rate: float = 0
    trouble: TransportError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversations:
    """What the conversations of one send share. `per_connection` is how many messages one may carry, None for any."""

    ledger: Ledger
    clock: Clock
    make_message: Callable[[Recipient], Message]
    pool: ThreadPoolExecutor | None
    window: int
    per_connection: int | None
    drain: Drain
    recording: Recording
    relay_time: RelayTime
    breaker: Breaker
    suspects: Suspects

    async def hold(self, connection: Connection) -> Told:
        """Window after window on one connection, which is closed at the end."""
        told = Told()
        left = self.per_connection or _ANY
        try:
            window = await self._next(min(_FIRST, self.window, left), told)
            while window is not None:
                told.claimed, told.throttled = True, False
                left -= len(window.recipients)
                outcomes: dict[int, Outcome] = {}
                began = time.monotonic()
                try:
                    await self._carry(connection, window, outcomes, told)
                except BaseException:
                    await self.recording.turn(0, window, outcomes)
                    raise
                told.spent = left <= 0
                told.rate = max(len(outcomes), 1) / max(time.monotonic() - began, 1e-3)
                size = min(max(math.ceil(told.rate * _SECONDS), 1), self.window, left)
                window = await self._next(0 if told.trouble else size, told, window, outcomes)
        finally:
            await connection.close()
        return told

    async def _next(
        self, size: int, told: Told, carried: Window | None = None, outcomes: Mapping[int, Outcome] = NOTHING
    ) -> Window | None:
        """Commit what was carried, at once or with the next window, which is claimed when the relay has time for it."""
        if self.relay_time.limited or told.throttled:
            await self.recording.turn(0, carried, outcomes)
            carried, outcomes = None, NOTHING
        try:
            if told.claimed:
                self.relay_time.tell(told.throttled, told.rate)
            if size:
                granted = await self.relay_time.take(size, self._ready)
                told.spent = told.spent or granted is None
                size = granted or 0
        except BaseException:
            await self.recording.turn(0, carried, outcomes)
            raise
        return await self.recording.turn(size, carried, outcomes)

    def _ready(self, most: int) -> int:
        return self.ledger.ready(self.clock.now(), most)

    async def _carry(self, connection: Connection, window: Window, outcomes: dict[int, Outcome], told: Told) -> None:
        def settle(outcome: Outcome) -> None:
            outcomes[outcome.delivery] = outcome
            self.ledger.answered(outcome)
            self.breaker.judge(outcome)
            if self.breaker.tripped:
                self.drain.begin()
            told.took = told.took or outcome.state is DeliveryState.SUBMITTED
            if outcome.state in _ANSWERED:
                told.answered = True
                told.throttled = told.throttled or throttles(outcome)

        made: Iterable[Message | Outcome] = self._made(window.recipients)
        if self.pool is not None:
            made = await asyncio.get_running_loop().run_in_executor(self.pool, list, made)

        def messages() -> Iterator[Message]:
            for one in made:
                if told.throttled or self.breaker.tripped:
                    return  # what is left of the window has not left, and waits
                if isinstance(one, Message):
                    yield one
                else:
                    settle(one)

        try:
            await connection.carry(messages(), settle, lambda message: self.ledger.leaving(message.delivery))
        except TransportError as error:
            told.trouble = error
            told.throttled = told.throttled or isinstance(error, ThrottledError)
            if isinstance(error, LostLineError) and (parked := self.suspects.lost_at(window, outcomes, error)):
                outcomes[parked.delivery] = parked

    def _made(self, recipients: Sequence[Recipient]) -> Iterator[Message | Outcome]:
        """Each recipient's message, or why it could not be made."""
        for start in range(0, len(recipients), _MADE_AT_ONCE):
            yield from [self._one(recipient) for recipient in recipients[start : start + _MADE_AT_ONCE]]

    def _one(self, recipient: Recipient) -> Message | Outcome:
        try:
            return self.make_message(recipient)
        except Exception as error:  # noqa: BLE001 - whatever one reader's data does, the others get their mail
            reason = f"the message could not be made: {error or type(error).__name__}"
            return Outcome(recipient.delivery, DeliveryState.FAILED, None, reason)
