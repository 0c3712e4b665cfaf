"""The sender: hands an issue's queued messages to a transport, and writes down what became of each.

Intent first, then the wire, then the outcome, which is committed together with the next intent (`Ledger.turn`).
Every carrier works through windows on one connection after another; the ledger, and the relay's time, are all that
carriers share. The ledger is called straight from the loop: its calls are commits of a few milliseconds, and a call
that cannot be cancelled half-way leaves no intent that nobody knows of.
"""

from __future__ import annotations

import asyncio
import math
import re
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from types import MappingProxyType

from newsletter.clock import Clock
from newsletter.deliver.pace import Pace, throttles
from newsletter.errors import LostLineError, RefusingError, StorageError, ThrottledError, TransportError
from newsletter.model import DeliveryState, Message, Outcome, Recipient, Window
from newsletter.ports import Connection, Ledger, Transport

__all__ = ["Pauses", "send"]

_FIRST, _MOST = 50, 200
_SECONDS = 2.0
"""A carrier's windows have 50 recipients at first, then as many as it carries in two seconds, up to 200. Each costs a
commit, and a drain waits for whole windows: wide ones are fast, and those of a slow server stay small."""

_ANY = 1_000_000_000
_IDLE, _SLOWEST = 20.0, 2.0
"""Seconds that a line may wait for the relay's time, and messages a second below which a line would mostly wait."""
_LAST, _ENOUGH, _SHARE = 100, 50, 0.9
"""The breaker: so many last answers are looked at, no fewer than so many, and that share of them makes it trip."""

_LOST = frozenset({DeliveryState.REJECTED, DeliveryState.FAILED})
_NO_SUCH_READER = re.compile(r"\b5\.1\.(?:1|2|3|6|10)\b")
"""Dead addresses (RFC 3463 and 7505), which speak of the list and not of us: the breaker leaves them out."""

_ANSWERED = frozenset({DeliveryState.SUBMITTED, DeliveryState.DEFERRED, DeliveryState.REJECTED})


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
    window: int = _MOST,
    threads: int = 0,
    wait: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Mapping[str, int]], None] | None = None,
    pauses: Pauses = Pauses(),
) -> None:
    """Send what is queued or due until nothing is, nor in flight with anybody; with `wait`, the deferred too.

    `make_message` may raise: that recipient alone is failed then, with the reason. With `threads` it is called in so
    many, for a whole window before that is carried: for messages that are signed, which leaves the interpreter free.

    When `stop` says so, on SIGTERM and SIGINT in the main thread, or when the ledger is closed to it, windows under way
    are finished and recorded and nothing more is claimed. `progress` gets the ledger's counts about twice a second and
    at the end. Raises `TransportError` when no carrier can go on, `RefusingError` when the server rejects nearly
    everything (of a window under way nothing more leaves then), and `StorageError` when outcomes cannot be recorded:
    those stay `sending` for `recover` to settle.
    """
    with ThreadPoolExecutor(threads) if threads else nullcontext() as pool:
        sending = _Sending(ledger, transport, make_message, clock, pace, window, pool, stop, progress, pauses)
        with _on_signals(sending.drain):
            try:
                await sending.run(wait)
            finally:
                sending.report(at_once=True)


@dataclass(slots=True)
class _Told:
    """What one conversation came to: was anything claimed for it, did the server answer, did it carry all that one
    may, what ended it early; and of its last window: did the server complain of too much, and how much was that."""

    claimed: bool = False
    answered: bool = False
    spent: bool = False
    throttled: bool = False
    rate: float = 0
    trouble: TransportError | None = None


class _Sending:
    """One call of `send`."""

    def __init__(
        self,
        ledger: Ledger,
        transport: Transport,
        make_message: Callable[[Recipient], Message],
        clock: Clock,
        pace: Pace | None,
        window: int,
        pool: ThreadPoolExecutor | None,
        stop: Callable[[], bool],
        progress: Callable[[Mapping[str, int]], None] | None,
        pauses: Pauses,
    ) -> None:
        self._ledger = ledger
        self._transport = transport
        self._make_message = make_message
        self._clock = clock
        self._pace = pace
        self._window = window
        self._pool = pool
        self._stop = stop
        self._progress = progress
        self._pauses = pauses
        self._drain = asyncio.Event()
        self._queue = asyncio.Lock()  # held while a window waits for its time on the relay
        self._pen = asyncio.Lock()  # held while outcomes wait to be recorded: nothing is claimed meanwhile
        self._gave_up = False  # the ledger refused for good: others in hand get one try each
        self._verdicts: deque[bool] = deque(maxlen=_LAST)  # was it rejected, of the last ones
        self._refusal = ""  # the server's words when it rejects nearly all
        self._stuck: Counter[int] = Counter()  # how often the line was lost at a delivery
        self._reported = 0.0
        self._carriers = 1
        self._granted = 0  # messages that the relay's time was waited for, on a line that grew too old

    def drain(self) -> None:
        """Finish what is under way and claim nothing more."""
        self._drain.set()

    @property
    def stopping(self) -> bool:
        """Whether nothing more may be claimed."""
        return self._drain.is_set() or self._ledger.closed or self._stop()

    async def run(self, wait: bool) -> None:
        """Rounds of work, until there is none."""
        while not self.stopping:
            now = self._clock.now()
            self._ledger.recover(now)
            counts, due = self._ledger.counts(), self._ledger.next_due()
            ready = counts.get(DeliveryState.QUEUED, 0)
            if due is not None and due <= now:
                ready += counts.get(DeliveryState.DEFERRED, 0)
            claimed = bool(ready) and await self._work(ready)
            if self._refusal:
                raise RefusingError(
                    f"{sum(self._verdicts)} of the last {len(self._verdicts)} messages were rejected or failed"
                    f" ({self._refusal}), so no more are sent; mend that first"
                )
            if claimed:
                continue
            if ready or counts.get(DeliveryState.SENDING, 0):
                await self._pause(self._pauses.look)  # another sender has them
            elif wait and due is not None:
                await self._pause(min(self._clock.real_seconds(due - now), self._pauses.glance))
            else:
                return

    def report(self, at_once: bool = False) -> None:
        """Tell the counts to whoever shows them; seldom, for counting a million rows takes time."""
        if self._progress and (at_once or time.monotonic() - self._reported >= self._pauses.look):
            self._progress(self._ledger.counts())
            self._reported = time.monotonic()

    async def _work(self, ready: int) -> bool:
        """One round: as many carriers as there is work for. Returns whether anything was claimed.

        The first connection proves the server before the others are dialled. Carriers are never cancelled for the
        sake of another's trouble: what each has in hand must reach the ledger.
        """
        first = await self._connect()
        self._carriers = min(self._transport.connections, math.ceil(ready / min(_FIRST, self._window)))
        if self._pace is not None and self._pace.rate is not None:
            self._carriers = min(self._carriers, math.ceil(self._pace.rate / _SLOWEST))
        carriers = [
            asyncio.create_task(self._carrier(first if place == 0 else None)) for place in range(self._carriers)
        ]
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
            self.drain()

    async def _carrier(self, connection: Connection | None) -> bool:
        """Conversation after conversation; raises `TransportError` when several in a row brought no answer."""
        claimed, fruitless = False, 0
        while True:
            told = await self._converse(connection or await self._connect())
            connection = None
            claimed = claimed or told.claimed
            fruitless = 0 if told.answered else fruitless + 1
            if told.spent and told.trouble is None and not self.stopping:
                continue
            if told.trouble is None:
                return claimed
            if self.stopping or fruitless > len(self._pauses.reconnect):
                raise told.trouble
            if fruitless:
                await self._pause(self._pauses.reconnect[fruitless - 1])

    async def _converse(self, connection: Connection) -> _Told:
        """Window after window on one connection, which is closed at the end."""
        told = _Told()
        left = self._transport.per_connection or _ANY
        try:
            window = await self._next(min(_FIRST, self._window, left), told)
            while window is not None:
                told.claimed, told.throttled = True, False
                left -= len(window.recipients)
                outcomes: dict[int, Outcome] = {}
                began = time.monotonic()
                try:
                    await self._carry(connection, window, outcomes, told)
                except BaseException:
                    await self._turn(0, window, outcomes)
                    raise
                told.spent = left <= 0
                told.rate = len(outcomes) / max(time.monotonic() - began, 1e-3)
                size = min(max(math.ceil(told.rate * _SECONDS), 1), self._window, left)
                window = await self._next(0 if told.trouble else size, told, window, outcomes)
        finally:
            await connection.close()
        return told

    async def _next(
        self,
        size: int,
        told: _Told,
        carried: Window | None = None,
        outcomes: Mapping[int, Outcome] = MappingProxyType({}),
    ) -> Window | None:
        """Commit what was carried, and claim the next window once the relay has time for it.

        At once where nothing limits the relay. Else each sender stands in the relay's queue with one window at a
        time: a share for each sender, and little of the relay's time is lost with one that is killed.
        """
        if self._pace is None:
            return await self._turn(size, carried, outcomes)
        if self._pace.rate is not None or told.throttled:
            await self._turn(0, carried, outcomes)
            carried, outcomes = None, {}
        try:
            self._tell(self._pace, told)
            if not size:
                return await self._turn(0, carried, outcomes)
            async with self._queue if self._pace.rate is not None else nullcontext():
                if self._granted:
                    size, self._granted = min(size, self._granted), 0
                else:
                    now = self._clock.now()
                    size, start = self._pace.reserve(size, now)
                    seconds = self._clock.real_seconds(start - now)
                    await self._pause(seconds)
                    if seconds > _IDLE:  # servers hang up on who is silent for minutes
                        self._granted, told.spent = size, True
                        return await self._turn(0, carried, outcomes)
        except BaseException:
            await self._turn(0, carried, outcomes)
            raise
        return await self._turn(size, carried, outcomes)

    def _tell(self, pace: Pace, told: _Told) -> None:
        if told.throttled:
            pace.throttled(told.rate * self._carriers, self._clock.now())
        elif told.claimed:
            pace.welcome(self._clock.now())

    async def _connect(self) -> Connection:
        for pause in self._pauses.reconnect:
            try:
                return await self._transport.connect()
            except TransportError:
                await self._pause(pause)
                if self.stopping:
                    raise
        return await self._transport.connect()

    async def _carry(self, connection: Connection, window: Window, outcomes: dict[int, Outcome], told: _Told) -> None:
        def settle(outcome: Outcome) -> None:
            outcomes[outcome.delivery] = outcome
            self._ledger.answered(outcome)
            self._judge(outcome)
            if outcome.state in _ANSWERED:
                told.answered = True
                told.throttled = told.throttled or throttles(outcome)

        made: Iterable[Message | Outcome] = self._made(window.recipients)
        if self._pool is not None:
            made = await asyncio.get_running_loop().run_in_executor(self._pool, list, made)

        def messages() -> Iterator[Message]:
            for one in made:
                if told.throttled or self._refusal:
                    return  # what is left of the window has not left, and waits
                if isinstance(one, Message):
                    yield one
                else:
                    settle(one)

        try:
            await connection.carry(messages(), settle, lambda message: self._ledger.leaving(message.delivery))
        except TransportError as error:
            told.trouble = error
            told.throttled = told.throttled or isinstance(error, ThrottledError)
            if isinstance(error, LostLineError):
                self._suspect(window, outcomes, error)

    def _suspect(self, window: Window, outcomes: dict[int, Outcome], error: LostLineError) -> None:
        """Park the message at which the line is lost for the second time: it must not hold up all behind it."""
        at = next((one.delivery for one in window.recipients if one.delivery not in outcomes), None)
        if at is not None:
            self._stuck[at] += 1
            if self._stuck[at] > 1:
                outcomes[at] = Outcome(at, DeliveryState.DEFERRED, None, f"the line was lost at this message: {error}")

    def _judge(self, outcome: Outcome) -> None:
        """Trip the breaker when nearly everything is refused or cannot be made: it is about us then, and for good."""
        rejected = outcome.state in _LOST
        if rejected and _NO_SUCH_READER.search(outcome.reply):
            return
        self._verdicts.append(rejected)
        if rejected and len(self._verdicts) >= _ENOUGH and sum(self._verdicts) >= _SHARE * len(self._verdicts):
            self._refusal = outcome.reply
            self.drain()

    def _made(self, recipients: Sequence[Recipient]) -> Iterator[Message | Outcome]:
        """Each recipient's message, or why it could not be made."""
        for recipient in recipients:
            try:
                yield self._make_message(recipient)
            except Exception as error:  # noqa: BLE001 - whatever one reader's data does, the others get their mail
                reason = f"the message could not be made: {error or type(error).__name__}"
                yield Outcome(recipient.delivery, DeliveryState.FAILED, None, reason)

    async def _turn(
        self, claim: int, carried: Window | None = None, outcomes: Mapping[int, Outcome] = MappingProxyType({})
    ) -> Window | None:
        """Commit a window's outcomes and the intent for the next, of up to `claim` recipients.

        Outcomes that the ledger refuses are kept and tried again, and nothing is claimed meanwhile; at last its
        `StorageError` is raised.
        """
        async with self._pen:
            try:
                window = self._commit(0 if self.stopping else claim, carried, outcomes)
                self._gave_up = False
            except StorageError as error:
                if carried is None:
                    raise
                await self._insist(carried, outcomes, error)
                window = None
        if carried is not None:
            self.report()
        return window

    async def _insist(self, carried: Window, outcomes: Mapping[int, Outcome], trouble: StorageError) -> None:
        for pause in () if self._gave_up else self._pauses.record:
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

    async def _pause(self, seconds: float) -> None:
        """Sleep, but wake for a stop (which may come from another thread, so it is asked for)."""
        end = time.monotonic() + seconds
        while not self.stopping and (left := end - time.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drain.wait(), min(left, 0.2))


@contextmanager
def _on_signals(drain: Callable[[], None]) -> Iterator[None]:
    """Drain on the first SIGTERM or SIGINT; a second one does what it did before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            if loop.remove_signal_handler(number):
                signal.signal(number, handler)

    def first() -> None:
        restore()
        drain()

    try:
        for number in before:
            loop.add_signal_handler(number, first)
    except (RuntimeError, ValueError, NotImplementedError):
        yield  # not the main thread: whoever started it stops it with `stop`
        return
    try:
        yield
    finally:
        restore()
