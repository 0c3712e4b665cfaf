"""Erasing a person: every row that knows them goes. A salted hash stays, which keeps the address from being mailed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, or_, select

from subscribers.addresses import Address, parse_address
from subscribers.errors import AddressError
from subscribers.journal import ReaderJournal, Word
from subscribers.model import Status
from subscribers.records import find_subscribers
from subscribers.suppressing import ERASED, reason_of, remember, told
from subscribers.tables import address_change, request, subscriber, subscriber_event, suppression

__all__ = ["Erased", "erase", "former_addresses", "note"]


@dataclass(frozen=True, slots=True)
class Erased:
    """Whom an erasure was about: their number (0 for an address alone), every address of theirs that we knew, and the
    confirmed subscriptions that ended with it, by newsletter."""

    subscriber: int
    addresses: tuple[Address, ...]
    newsletters: tuple[str, ...] = ()


def erase(connection: Connection, address: Address, now: datetime) -> Erased | None:
    """Erase whoever has that address, also the addresses they had before; None where nothing is held of them.

    The caller's transaction takes the address out of what other houses hold, too. A complaint, and what an admin
    decided, stays in force under the hash; of everything else the reason becomes `erased`.
    """
    # As whoever confirms a request does, requests first: who comes by one at this moment is there when we look.
    theirs = select(request.c.id).where(request.c.address_key == address.key).order_by(request.c.id)
    connection.execute(theirs.with_for_update()).all()
    held = next(iter(find_subscribers(connection, subscriber.c.address_key == address.key, lock=True)), None)
    former = _former(connection, held.id) if held else ()
    mine = tuple({each.key: each for each in (held.address if held else address, *former)}.values())
    keys = [each.key for each in mine]
    asked = or_(request.c.address_key.in_(keys), request.c.id.in_(_joining(connection, held.id if held else 0)))
    gone = connection.execute(delete(request).where(asked)).rowcount
    # Also of others, who asked to have their mail go there.
    gone += connection.execute(delete(address_change).where(address_change.c.address_key.in_(keys))).rowcount
    gone += _unclear(connection, keys, now)
    if held is None and not gone:
        return None
    if held is not None:
        connection.execute(delete(subscriber).where(subscriber.c.id == held.id))
    for key in keys:
        remember(connection, key, ERASED, now)
    if held is None:
        return Erased(0, mine)
    ended = (name for name, each in held.subscriptions.items() if each.status is Status.CONFIRMED)
    return Erased(held.id, mine, tuple(sorted(ended)))


def note(connection: Connection, erased: Erased, now: datetime, journal: ReaderJournal) -> None:
    """Write the erasure into the journal, as the last thing of the transaction that made it."""
    for each in erased.addresses:
        journal.note(connection, now, Word.ERASED, each.key, reason=reason_of(connection, each.key) or ERASED)


def _unclear(connection: Connection, keys: Sequence[str], now: datetime) -> int:
    """Turn suppressions that name the address into such as do not; how many those were."""
    rows = connection.execute(select(suppression).where(suppression.c.address_key.in_(keys))).all()
    connection.execute(delete(suppression).where(suppression.c.address_key.in_(keys)))
    for row in rows:
        reason = told(row.reason)
        remember(connection, row.address_key, reason, now)
    return len(rows)


def _former(connection: Connection, number: int) -> Sequence[Address]:
    """Addresses that a subscriber had before, of those that nobody else has by now."""
    found = former_addresses(connection, number)
    taken = select(subscriber.c.address_key).where(
        subscriber.c.address_key.in_([each.key for each in found]), subscriber.c.id != number
    )
    others = set(connection.scalars(taken))
    return [each for each in found if each.key not in others]


def former_addresses(connection: Connection, number: int) -> list[Address]:
    """Addresses that a subscriber had before, whoever has them now."""
    moved = select(subscriber_event.c.detail).where(
        subscriber_event.c.subscriber_id == number, subscriber_event.c.what == "moved"
    )
    found = []
    for detail in connection.scalars(moved):
        try:
            found.append(parse_address(str(detail["before"])))
        except (KeyError, AddressError):
            continue
    return found


def _joining(connection: Connection, number: int) -> list[int]:
    """Requests by which other addresses were asked for this subscriber's sake."""
    keys = select(address_change.c.address_key).where(address_change.c.subscriber_id == number)
    changes = set(connection.scalars(select(address_change.c.id).where(address_change.c.subscriber_id == number)))
    rows = connection.execute(select(request.c.id, request.c.choices).where(request.c.address_key.in_(keys)))
    return [row.id for row in rows if row.choices.get("change") in changes]
