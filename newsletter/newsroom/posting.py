"""Single letters that are carried until they are taken, a bounded number of times: mails about accounts, answers to
readers. Each is claimed before it is tried, so that several processes may do this at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from newsletter import deliver
from newsletter.errors import NotLiveError, TransportError
from newsletter.model import REACHED, DeliveryState, Message
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import send_once

__all__ = ["FOR_GOOD", "MOST_TRIES", "SECONDS", "Outgoing", "Queue", "UnwantedError", "next_try", "post"]

log = logging.getLogger("newsletter.telling")

MOST_TRIES = 6
PAUSE = timedelta(minutes=1)
"""Before the second try; twice as long before each further one."""

SECONDS = 60.0
"""For one letter: those behind it wait so long for a server that hangs, and once."""

FOR_GOOD = REACHED | {DeliveryState.REJECTED}
"""States in which a letter is not tried again."""


class Waiting(Protocol):
    """A letter that waits. `at` is its last try."""

    @property
    def id(self) -> int:
        """Its number, by which the log speaks of it."""
        ...

    @property
    def at(self) -> datetime:
        """When it was last tried."""
        ...

    @property
    def tries(self) -> int:
        """How often it was tried."""
        ...


_Row = TypeVar("_Row", bound=Waiting)


class Queue(Protocol[_Row]):
    """What letters wait in: `storage.AccountMails`, the requests of the subscribers' house."""

    def open(self, most_tries: int) -> Sequence[_Row]:
        """Those not settled, tried fewer than `most_tries` times, the oldest first."""
        ...

    def claim(self, row: _Row, now: datetime) -> bool:
        """Count one more try before it is made; False when somebody else was first."""
        ...

    def settle(self, row: _Row, reply: str, *, settled: bool = True) -> None:
        """Note what came of the last try; not `settled`, it is tried again."""
        ...


class UnwantedError(Exception):
    """Nobody is to get this letter any more; says why."""


Outgoing = tuple[str, Callable[[], Message]]
"""An address, and how the message to it is made: a link in it is made no earlier than it leaves."""


def post(room: Newsroom, name: str, queue: Queue[_Row], write: Callable[[_Row], Outgoing], outbox: Path) -> None:
    """Carry what is due. Raises nothing that has to do with a mail server; `name` is for the lock and the log."""
    if not _due(room, queue):
        return
    with room.database.hold(name) as held:
        for row in _due(room, queue) if held else ():
            if not queue.claim(row, room.clock.now()):
                continue
            try:
                _post_one(room, name, queue, row, write(row), outbox)
            except UnwantedError as error:
                queue.settle(row, str(error))
            except TransportError as error:
                _note(name, queue, row, str(error))
                return  # a server that hangs is waited for once
            except Exception as error:  # noqa: BLE001 - one letter that cannot be made keeps no other one
                _note(name, queue, row, str(error) or type(error).__name__)


def next_try(at: datetime, tries: int) -> datetime:
    """When a letter that was tried so often, the last time at that instant, is due again."""
    return at + PAUSE * 2 ** (tries - 1) if tries else at


def _due(room: Newsroom, queue: Queue[_Row]) -> list[_Row]:
    now = room.clock.now()
    rows = queue.open(MOST_TRIES)
    return [row for row in rows if next_try(row.at, row.tries) <= now]


def _post_one(room: Newsroom, name: str, queue: Queue[_Row], row: _Row, letter: Outgoing, outbox: Path) -> None:
    address, message = letter
    transport = deliver.open_transport(room.settings, outbox)
    try:
        deliver.refuse_strangers(transport, room.settings, [address])
    except NotLiveError as error:
        log.warning("%s %d is not sent: the desk is not live", name, row.id)
        queue.settle(row, str(error))
        return
    (outcome,) = send_once(transport, [message()], seconds=SECONDS)
    if outcome.state in FOR_GOOD:
        queue.settle(row, outcome.reply if outcome.state is DeliveryState.REJECTED else "")
    else:
        _note(name, queue, row, outcome.reply or str(outcome.state))


def _note(name: str, queue: Queue[_Row], row: _Row, why: str) -> None:
    after = "It is tried again." if row.tries + 1 < MOST_TRIES else "It is not tried again."
    log.warning("%s %d was not taken: %s. %s", name, row.id, why, after)
    queue.settle(row, f"{why}. {after}", settled=False)
