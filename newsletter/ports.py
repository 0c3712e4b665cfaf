"""The doors between rooms: what one room needs of another, written by the one that needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from newsletter.model import Lane, Message, Outcome, Refusal, Story, Window

__all__ = [
    "SLOT_NAMES",
    "Connection",
    "Fetched",
    "Lanes",
    "Ledger",
    "Source",
    "SourceState",
    "Transport",
    "slot",
]


# --- gather: where stories come in through ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What we remember of a source between polls; all None for one never polled.

    `cursor` is the source's own mark of how far it has read (an instant of its CMS). Before `not_before` it asked not
    to be polled (Retry-After). `failures` are in a row; `last_error` says what the last of them was. All of it holds
    for the address `asked`: with another one in schedule.yaml it is a new source.
    """

    etag: str | None = None
    last_modified: str | None = None
    cursor: str | None = None
    polled_at: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    switched_off: str | None = None
    asked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one poll brought: stories in the source's order, what was refused and why, and the next state.

    `unchanged` is True when the source said so itself (304, an empty folder): `stories` is empty then.
    """

    state: SourceState
    stories: Sequence[Story] = ()
    refused: Sequence[Refusal] = ()
    unchanged: bool = False
    settle: Callable[[], None] = field(default=lambda: None)
    """Called by the corridor once the stories are stored: a folder moves its files to done/ and rejected/ here."""


class Source(Protocol):
    """One place that stories come in through; one adapter a kind in `newsletter.gather`.

    The corridor calls `fetch` from a thread of its own, never twice at once for one source. `now` is aware UTC.
    Raises `SourceError` when there is no usable answer; nothing has changed then and the old state stays.
    """

    id: str

    def fetch(self, state: SourceState, now: datetime) -> Fetched: ...


# --- render and deliver: what differs per reader ----------------------------------------------------------

SLOT_NAMES = ("name", "unsubscribe", "preferences", "view", "report")
"""What the delivery splices in per reader: a greeting name, and four https addresses."""


def slot(name: str) -> str:
    """The mark that stands for a slot in a rendered edition: U+FDD0 name U+FDD1.

    The two are Unicode noncharacters (Unicode 17, section 23.7): cleaned story text never holds them.
    """
    if name not in SLOT_NAMES:
        raise ValueError(f"no slot named {name!r}; there are {', '.join(SLOT_NAMES)}")
    return f"\ufdd0{name}\ufdd1"


# --- deliver: what carries messages, and what remembers them ----------------------------------------------


class Connection(Protocol):
    """One conversation with a mail server; used by one task at a time."""

    async def carry(
        self,
        window: Iterable[Message],
        settle: Callable[[Outcome], None],
        leaving: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Hand over each message of the window in order and call `settle` once its fate is known.

        `window` may make its messages as they are asked for, so that few are in memory at once.

        `leaving` is called right before the write that holds a message's final dot, by transports for which
        carrying a message twice would deliver it twice.

        `settle` gets submitted, deferred or rejected with the server's words, or unknown when the line broke
        after the final dot was written and before the answer. A message for which `settle` was not called
        when this returns or raises never had its dot written: it is safe to try again. Raises
        `TransportError` when the line is unusable; the caller then drops this connection.
        """
        ...

    async def close(self) -> None:
        """Say goodbye and hang up; never raises."""
        ...


class Transport(Protocol):
    """What carries messages: `smtp`, `outbox`, `memory`.

    `leaves_machine` is True when mail could reach strangers: `NEWSLETTER_LIVE` guards those. `connections` is
    how many `connect` results may be open at once, `per_connection` how many messages each may carry (None: any).
    `connect` raises `TransportError` with what to do.
    """

    name: str
    leaves_machine: bool
    connections: int
    per_connection: int | None

    async def connect(self) -> Connection: ...


class Lanes(Protocol):
    """What all senders know of each mail server, by its name. Calls are blocking and durable.

    `change` replaces a lane by what `step` makes of it, `new` where there is none yet, while nobody else changes it;
    it returns the result.
    """

    def find(self, name: str) -> Lane | None: ...

    def change(self, name: str, new: Lane, step: Callable[[Lane], Lane]) -> Lane: ...


class Ledger(Protocol):
    """The record of one issue's deliveries, as the sender needs it. All calls are blocking and durable.

    `leaving` and `answered` go to a flight recorder that survives the process, not to the disk: from them
    `recover` knows the fate of what a dead sender had claimed and not recorded.

    `turn` commits, at once, what became of the window `carried` and the intent for a next window of up to `claim` due
    recipients, before anything of that is written to a server; it leaves out who unsubscribed since the freeze. A
    delivery of the carried window that is not among `outcomes` never left. It changes only what this sender claimed.
    `recover` settles what dead senders left in flight (where nobody can know: unknown under `hold`, queued again
    under `resend`) and returns how many rows that were. A process is dead when its lock is free, never because time
    has passed. `closed` is True once a turn found that the issue is not to be sent any more.
    `ready` says how many recipients a turn could claim at that moment, counted up to `most`.
    """

    closed: bool

    def verdicts(self, most: int) -> Sequence[Outcome]:
        """What became of the last messages since somebody began or took up this send, where many of them came to
        nothing; the earliest first."""
        ...

    def turn(
        self, now: datetime, *, carried: Window | None = None, outcomes: Sequence[Outcome] = (), claim: int = 0
    ) -> Window | None: ...

    def leaving(self, delivery: int) -> None: ...

    def answered(self, outcome: Outcome) -> None: ...

    def recover(self, now: datetime) -> int: ...

    def ready(self, now: datetime, most: int) -> int: ...

    def counts(self) -> Mapping[str, int]: ...

    def next_due(self) -> datetime | None:
        """The earliest instant that a recipient waits for, of a wave or of a next try, or None."""
        ...
