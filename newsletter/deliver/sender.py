"""The sender: hands an issue's queued messages to a transport, and writes down what became of each.

Intent first, then the wire, then the outcome, which is committed together with the next intent (`Ledger.turn`).
Every carrier works through windows in one conversation after another; the ledger, and the relay's time, are all that
carriers share.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from newsletter.clock import Clock
from newsletter.deliver.conversing import MOST, Conversations, windows_in
from newsletter.deliver.drain import Drain, drain_on_signals
from newsletter.deliver.judging import VERDICTS, Breaker, Suspects
from newsletter.deliver.lines import Borrowed, Share
from newsletter.deliver.pace import Pace
from newsletter.deliver.recording import Recording
from newsletter.deliver.relay_time import RelayTime
from newsletter.errors import TransportError
from newsletter.model import DeliveryState, Message, Recipient
from newsletter.ports import Connection, Ledger, Transport

__all__ = ["Pauses", "send"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds of the system's clock: before each new try of a connection and of a commit, between looks at what others
    do while they send, and while all wait for what is deferred."""

    reconnect: Sequence[float] = (0.5, 2, 8)
    record: Sequence[float] = (0.2, 1, 3, 5, 10, 20, 20)
    look: float = 0.5
    glance: float = 30


async def send(
    ledger: Ledger,
    transport: Transport,
    make_message: Callable[[Recipient], Message],
    clock: Clock,
    *,
    pace: Pace | None = None,
    spread: Pace | None = None,
    lines: Callable[[], AbstractContextManager[Share | None]] = nullcontext,
    window: int = MOST,
    threads: int = 0,
    wait: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Mapping[str, int]], None] | None = None,
    pauses: Pauses = Pauses(),
) -> None:
    """Send what is queued or due until nothing is, nor in flight with anybody; with `wait`, the deferred too.

    `make_message` may raise: that recipient alone is failed then, with the reason. With `threads` it is called in so
    many, for a whole window before that is carried: for messages that are signed, which leaves the interpreter free.

    `pace` is the relay's, `spread` the issue's own. `lines` gives a share of the lines that this process may have to
    the relay, for as long as there is work, where other issues are sent at the same time.

    When `stop` says so, on SIGTERM and SIGINT in the main thread, or when the ledger is closed to it, windows under way
    are finished and recorded and nothing more is claimed. `progress` gets the ledger's counts about twice a second and
    at the end. Raises `TransportError` when no carrier can go on, `RefusingError` when the server rejects nearly
    everything (of a window under way nothing more leaves then), and `StorageError` when outcomes cannot be recorded:
    those stay `sending` for `recover` to settle.
    """
    with ThreadPoolExecutor(threads) if threads else nullcontext() as pool:
        drain = Drain(lambda: ledger.closed, stop)
        counts = _Counts(ledger, progress, pauses.look)
        relay_time, breaker = RelayTime(pace, clock, drain, spread), Breaker()
        conversations = Conversations(
            ledger=ledger,
            clock=clock,
            make_message=make_message,
            pool=pool,
            window=window,
            per_connection=transport.per_connection,
            drain=drain,
            recording=Recording(ledger, clock, drain, pauses.record, counts.tell),
            relay_time=relay_time,
            breaker=breaker,
            suspects=Suspects(),
        )
        for outcome in ledger.verdicts(VERDICTS):
            breaker.judge(outcome)
        rounds = _Rounds(ledger, transport, conversations, relay_time, clock, drain, pauses, lines)
        with drain_on_signals(drain):
            try:
                await rounds.run(wait, breaker)
            finally:
                counts.tell(at_once=True)


class _Counts:
    """The ledger's counts for whoever shows them; seldom, for counting a million rows takes time."""

    def __init__(self, ledger: Ledger, progress: Callable[[Mapping[str, int]], None] | None, seldom: float) -> None:
        self._ledger = ledger
        self._progress = progress
        self._seldom = seldom
        self._told = 0.0

    def tell(self, at_once: bool = False) -> None:
        if self._progress and (at_once or time.monotonic() - self._told >= self._seldom):
            self._progress(self._ledger.counts())
            self._told = time.monotonic()


class _Rounds:
    """Carriers, and rounds of their work, until there is none."""

    def __init__(
        self,
        ledger: Ledger,
        transport: Transport,
        conversations: Conversations,
        relay_time: RelayTime,
        clock: Clock,
        drain: Drain,
        pauses: Pauses,
        lines: Callable[[], AbstractContextManager[Share | None]],
    ) -> None:
        self._ledger = ledger
        self._transport = transport
        self._conversations = conversations
        self._relay_time = relay_time
        self._clock = clock
        self._drain = drain
        self._pauses = pauses
        self._lines = lines
        self._all_claimed = False  # in this round

    async def run(self, wait: bool, breaker: Breaker) -> None:
        while not self._drain.begun:
            now = self._clock.now()
            self._ledger.recover(now)
            ready = self._ledger.ready(now, self._transport.connections * self._conversations.window)
            try:
                claimed = bool(ready) and await self._round(ready)
            except TransportError:
                if not breaker.tripped:  # a server that refuses all and hangs up does both
                    raise
            if breaker.tripped:
                raise breaker.error
            if claimed:
                continue
            if ready or self._ledger.counts().get(DeliveryState.SENDING, 0):
                await self._drain.pause(self._pauses.look)  # another sender has them
            elif wait and (due := self._ledger.next_due()) is not None:
                await self._drain.pause(min(self._clock.real_seconds(due - now), self._pauses.glance))
            else:
                return

    async def _round(self, ready: int) -> bool:
        """One round, with our share of the lines; whoever waited for us goes on behind it."""
        self._all_claimed = False
        with self._lines() as self._relay_time.share:
            try:
                return await self._work(ready)
            finally:
                self._relay_time.leave()

    async def _work(self, ready: int) -> bool:
        """One round: as many carriers as there is work for. Returns whether anything was claimed.

        The first connection proves the server before the others are dialled. Carriers are never cancelled for the
        sake of another's trouble: what each has in hand must reach the ledger.
        """
        first = await self._connect()
        if first is None:
            return False
        wanted = min(self._transport.connections, windows_in(ready, self._conversations.window))
        self._relay_time.carriers = wanted = self._relay_time.of_use(wanted)
        carriers = [asyncio.create_task(self._carrier(first if place == 0 else None)) for place in range(wanted)]
        for carrier in carriers:
            carrier.add_done_callback(self._stop_on_surprise)
        try:
            await asyncio.wait(carriers)
        except asyncio.CancelledError:
            for carrier in carriers:
                carrier.cancel()
            await asyncio.wait(carriers)
            raise
        results = await asyncio.gather(*carriers, return_exceptions=True)
        troubles = [result for result in results if isinstance(result, BaseException)]
        for trouble in troubles:
            if len(troubles) == len(carriers) or not isinstance(trouble, TransportError):
                raise trouble
        return any(result is True for result in results)

    def _stop_on_surprise(self, carrier: asyncio.Task[bool]) -> None:
        """A carrier without a server leaves the rest to the others; any other trouble ends the work of all."""
        if carrier.cancelled() or not isinstance(carrier.exception(), TransportError | None):
            self._drain.begin()

    async def _carrier(self, connection: Connection | None) -> bool:
        """Conversation after conversation; raises `TransportError` when several in a row brought no answer."""
        claimed, fruitless = False, 0
        while True:
            connection = connection or await self._connect()
            if connection is None:
                return claimed
            told = await self._conversations.hold(connection)
            connection = None
            claimed = claimed or told.claimed
            fruitless = 0 if told.answered else fruitless + 1
            if told.spent and told.trouble is None and not self._drain.begun:
                continue
            if told.trouble is None:
                self._all_claimed = True
                return claimed
            if self._drain.begun or fruitless > len(self._pauses.reconnect):
                raise told.trouble
            if fruitless or not told.took:  # one that answers, takes nothing and hangs up is not dialled at full speed
                await self._drain.pause(self._pauses.reconnect[max(fruitless - 1, 0)] if self._pauses.reconnect else 0)

    async def _connect(self) -> Connection | None:
        """A line once it is our turn to have one; None when there is nothing more for it to do."""
        for pause in (*self._pauses.reconnect, None):
            if not await self._relay_time.turn(needless=lambda: self._all_claimed):
                return None
            try:
                return await self._dial()
            except TransportError:
                if pause is None:
                    raise
                await self._drain.pause(pause)
                if self._drain.begun:
                    raise
        return None

    async def _dial(self) -> Connection:
        share = self._relay_time.share
        try:
            connection = await self._drain.race(self._transport.connect())
        except BaseException:
            if share is not None:
                share.give_back()
            raise
        return connection if share is None else Borrowed(connection, share)
