"""Fakes that keep the whole contract of a port, for tests of whoever uses it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import count, islice

from newsletter.errors import NoAnswerError, TransportError
from newsletter.model import DeliveryState, Lane, Message, Outcome, Recipient, Window

__all__ = ["MemoryLanes", "MemoryLedger", "MemoryResolver", "MemoryTransport"]


class MemoryTransport:
    """A `Transport` that keeps messages in `messages`, in the order they came.

    `refuse` maps addresses to the reply a server would give (`"550 no such user"`); `out_of_order` makes `connect`
    raise `TransportError`.
    """

    name = "memory"

    def __init__(
        self,
        *,
        connections: int = 2,
        per_connection: int | None = None,
        leaves_machine: bool = False,
        refuse: Mapping[str, str] | None = None,
    ) -> None:
        self.connections = connections
        self.per_connection = per_connection
        self.leaves_machine = leaves_machine
        self.refuse = dict(refuse or {})
        self.out_of_order = False
        self.messages: list[Message] = []
        self.connected = 0

    async def connect(self) -> MemoryConnection:
        """A conversation with nobody."""
        if self.out_of_order:
            raise TransportError("the memory transport is out of order; set out_of_order to False")
        self.connected += 1
        return MemoryConnection(self)


class MemoryConnection:
    """A `Connection` that takes every message its transport does not refuse."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport

    async def carry(
        self,
        window: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Keep the window's messages, or answer as told."""
        for message in window:
            words = self._transport.refuse.get(message.envelope_to)
            if words is None:
                self._transport.messages.append(message)
                settle(Outcome(message.delivery, DeliveryState.SUBMITTED, 250, "250 kept in memory"))
            else:
                state = DeliveryState.DEFERRED if words.startswith("4") else DeliveryState.REJECTED
                settle(Outcome(message.delivery, state, int(words[:3]), words))

    async def close(self) -> None:
        """Nothing to close."""


class MemoryLanes:
    """`Lanes` in a dictionary."""

    def __init__(self) -> None:
        self.lanes: dict[str, Lane] = {}

    def find(self, name: str) -> Lane | None:
        """The lane of that mail server."""
        return self.lanes.get(name)

    def change(self, name: str, new: Lane, step: Callable[[Lane], Lane]) -> Lane:
        """What `step` makes of the lane."""
        self.lanes[name] = step(self.lanes.get(name, new))
        return self.lanes[name]


class MemoryLedger:
    """A `Ledger` over a list of recipients; `state`, `reply` and `not_before` are open to be looked at, by delivery.

    Several ledgers share one issue when made by `another_sender`; `die` frees the sender's lock as a kill would.
    """

    def __init__(
        self,
        recipients: Sequence[Recipient],
        *,
        backoff: Callable[[int], timedelta] = lambda attempts: timedelta(minutes=5),
        resend: bool = False,
        unwanted: Collection[int] = (),
    ) -> None:
        self.recipients = {one.delivery: one for one in recipients}
        self.state = dict.fromkeys(self.recipients, DeliveryState.QUEUED)
        self.reply = dict.fromkeys(self.recipients, "")
        self.not_before: dict[int, datetime] = {}
        self.closed = False
        self._open: dict[int, None] = dict.fromkeys(self.recipients)
        self._owner: dict[int, MemoryLedger] = {}
        self._intents = count(1)
        self._backoff = backoff
        self._resend = resend
        self._unwanted = frozenset(unwanted)
        self._alive = True

    def another_sender(self) -> MemoryLedger:
        """A second sender's ledger over the same deliveries."""
        other = MemoryLedger((), backoff=self._backoff, resend=self._resend, unwanted=self._unwanted)
        other.recipients, other.state, other.reply = self.recipients, self.state, self.reply
        other.not_before, other._open, other._owner = self.not_before, self._open, self._owner
        return other

    def die(self) -> None:
        """What a kill does: the lock is free, and what was in flight stays so until somebody recovers it."""
        self._alive = False

    def verdicts(self, most: int) -> Sequence[Outcome]:
        """Nothing: every sender begins anew."""
        return ()

    def turn(
        self, now: datetime, *, carried: Window | None = None, outcomes: Sequence[Outcome] = (), claim: int = 0
    ) -> Window | None:
        """What became of a window, and the next one of up to `claim` due recipients."""
        if carried is not None:
            self._record(carried, outcomes, now)
        claimed = self._claim(claim, now) if claim and not self.closed else ()
        return Window(next(self._intents), tuple(claimed)) if claimed else None

    def _claim(self, limit: int, now: datetime) -> Sequence[Recipient]:
        due = list(islice((delivery for delivery in self._open if self._due(delivery, now)), limit))
        claimed: list[Recipient] = []
        for delivery in due:
            del self._open[delivery]
            one = self.recipients[delivery]
            if one.subscriber in self._unwanted:
                self.state[delivery] = DeliveryState.CANCELLED
                continue
            self.recipients[delivery] = one._replace(attempts=one.attempts + 1)
            self.state[delivery], self._owner[delivery] = DeliveryState.SENDING, self
            claimed.append(self.recipients[delivery])
        return claimed if claimed or not due else self._claim(limit, now)

    def _record(self, carried: Window, outcomes: Sequence[Outcome], now: datetime) -> None:
        known = {one.delivery: Outcome(one.delivery, DeliveryState.QUEUED) for one in carried.recipients}
        known |= {outcome.delivery: outcome for outcome in outcomes}
        for delivery, outcome in known.items():
            if self._owner.get(delivery) is not self:
                continue
            del self._owner[delivery]
            self.state[delivery], self.reply[delivery] = outcome.state, outcome.reply[:500]
            one = self.recipients[delivery]
            if outcome.state in (DeliveryState.DEFERRED, DeliveryState.QUEUED):
                self._open[delivery] = None
            if outcome.state is DeliveryState.DEFERRED:
                self.not_before[delivery] = now + self._backoff(one.attempts)
            elif outcome.state is DeliveryState.QUEUED:  # a message that never left has used no attempt
                self.recipients[delivery] = one._replace(attempts=one.attempts - 1)

    def leaving(self, delivery: int) -> None:
        """Nothing: what dies here is only called dead."""

    def answered(self, outcome: Outcome) -> None:
        """Nothing, as above."""

    def recover(self, now: datetime) -> int:
        """Settle what dead senders left in flight."""
        orphans = [delivery for delivery, owner in self._owner.items() if not owner._alive]
        for delivery in orphans:
            del self._owner[delivery]
            self.state[delivery] = DeliveryState.QUEUED if self._resend else DeliveryState.UNKNOWN
            if self._resend:
                self._open[delivery] = None
        return len(orphans)

    def ready(self, now: datetime, most: int) -> int:
        """How many could be claimed."""
        return min(most, sum(self._due(delivery, now) for delivery in self._open))

    def counts(self) -> Mapping[str, int]:
        """How many deliveries stand in each state; every state is named."""
        return {str(state): sum(one is state for one in self.state.values()) for state in DeliveryState}

    def next_due(self) -> datetime | None:
        """The earliest `not_before` of the deferred."""
        deferred = (d for d, state in self.state.items() if state is DeliveryState.DEFERRED)
        return min((self.not_before[delivery] for delivery in deferred), default=None)

    def _due(self, delivery: int, now: datetime) -> bool:
        state = self.state[delivery]
        return state is DeliveryState.QUEUED or (state is DeliveryState.DEFERRED and self.not_before[delivery] <= now)


class MemoryResolver:
    """A `Resolver` over a dict: name to lines such as `TXT v=spf1 -all`, `MX 10 mail.example.net`, `A 192.0.2.1`.

    An alias is a `CNAME other.example.net`; for the names in `silent` the name server does not answer. `asked` holds
    each question in its order.
    """

    def __init__(self, zone: Mapping[str, Sequence[str]], silent: Collection[str] = ()) -> None:
        self.zone = zone
        self.silent = silent
        self.asked: list[tuple[str, str]] = []

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._found(name, "TXT"))

    def mail_servers(self, name: str) -> tuple[tuple[int, str], ...]:
        words = (value.split() for value in self._found(name, "MX"))
        return tuple(sorted((int(preference), host.rstrip(".")) for preference, host in words))

    def addresses(self, name: str) -> tuple[IPv4Address | IPv6Address, ...]:
        return tuple(ip_address(value) for kind in ("A", "AAAA") for value in self._found(name, kind))

    def _found(self, name: str, kind: str) -> list[str]:
        self.asked.append((kind, name))
        for _ in range(8):
            if name in self.silent:
                raise NoAnswerError("the name server did not answer")
            lines = [line.partition(" ")[::2] for line in self.zone.get(name, ())]
            if found := [value for told, value in lines if told == kind]:
                return found
            name = next((value for told, value in lines if told == "CNAME"), "")
        return []
