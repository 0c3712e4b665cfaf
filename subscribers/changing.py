"""Another address for a subscriber: it changes once the old and the new one have both agreed, and either may refuse.

Consent and history stay with the subscription. Nobody learns whether the new address is known here or suppressed: then
it is asked nothing, and so never agrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, func, insert, select, update

from subscribers.addresses import Address
from subscribers.database import conflict_insert
from subscribers.journal import ReaderJournal, Word
from subscribers.model import Event, SignUp, Subscriber
from subscribers.records import find_subscribers, write_events
from subscribers.requests import LASTS, ONE_MAIL, Asked, RequestKind, ask
from subscribers.suppressing import reason_of
from subscribers.tables import address_change, bounce_pause, subscriber

__all__ = ["MOST", "Change", "Outcome", "agree", "ask_change", "change_of", "refuse"]

MOST = 3
"""So many changes a subscriber may ask for within a day; more are answered alike and not made."""


class Outcome(StrEnum):
    """How a change stands; `OPEN` may still become anything else."""

    OPEN = ""
    CHANGED = "changed"
    REFUSED = "refused"
    REPLACED = "replaced"
    """A later one was asked for."""
    TAKEN = "taken"
    """The new address has a subscription of its own by now, or must not be mailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that was asked for; `left` and `joined` tell whether the old and the new address have agreed, `moved`
    is the old address where it was this call that changed it."""

    id: int
    subscriber: Subscriber
    address: Address
    asked_at: datetime
    left: bool
    joined: bool
    outcome: Outcome
    moved: Address | None = None


def ask_change(
    connection: Connection,
    held: Subscriber,
    address: Address,
    now: datetime,
    *,
    language: str,
    network: str,
    form: str,
) -> None:
    """Have both addresses asked. Asked for again within a day, the same one brings no further mail; another one takes
    its place."""
    mine = address_change.c.subscriber_id == held.id
    lately = mine & (address_change.c.asked_at > now - ONE_MAIL)
    same = lately & (address_change.c.address_key == address.key) & address_change.c.ended_at.is_(None)
    if address.key == held.address.key or connection.scalar(select(address_change.c.id).where(same)) is not None:
        return
    if (connection.scalar(select(func.count()).select_from(address_change).where(lately)) or 0) >= MOST:
        return
    open_ones = update(address_change).where(mine, address_change.c.ended_at.is_(None))
    connection.execute(open_ones.values(ended_at=now, outcome=Outcome.REPLACED))
    values = {"subscriber_id": held.id, "email": address.email, "address_key": address.key, "asked_at": now}
    made = insert(address_change).values(network=network, outcome=Outcome.OPEN, **values)
    number = connection.execute(made.returning(address_change.c.id)).scalar_one()
    newsletters = tuple(held.subscriptions)
    for kind, who in ((RequestKind.LEAVE, held.address), (RequestKind.JOIN, address)):
        signup = SignUp(address=who, newsletters=newsletters)
        ask(connection, kind, signup, now, language=language, network=network, form=form, change=number)


def change_of(connection: Connection, asked: Asked, now: datetime, *, lock: bool = False) -> Change | None:
    """The change that a request is about; None for one that is forgotten, too old, or about something else."""
    number = asked.choices.get("change")
    row = connection.execute(select(address_change).where(address_change.c.id == number)).first()
    if row is None or asked.kind not in (RequestKind.LEAVE, RequestKind.JOIN) or row.asked_at + LASTS < now:
        return None
    found = find_subscribers(connection, subscriber.c.id == row.subscriber_id, lock=lock)
    if lock:  # what was agreed while the lock was waited for
        row = connection.execute(select(address_change).where(address_change.c.id == number)).first() or row
    if not found:
        return None
    mine = found[0].address.key if asked.kind is RequestKind.LEAVE else row.address_key
    # Once the address has changed, the old one's link still says so.
    known = asked.address.key == mine or row.outcome == Outcome.CHANGED
    return _change(row, found[0]) if known else None


def agree(connection: Connection, asked: Asked, now: datetime, network: str) -> Change | None:
    """One of the two addresses agrees; with the second one the address changes. As it stands afterwards, None for a
    request of no change.

    Where it was `moved`, `note` is to be the last thing of that transaction.
    """
    found = change_of(connection, asked, now, lock=True)
    if found is None or found.outcome is not Outcome.OPEN:
        return found
    leaving = asked.kind is RequestKind.LEAVE
    this = update(address_change).where(address_change.c.id == found.id)
    answer = address_change.c.left_at if leaving else address_change.c.joined_at
    connection.execute(this.where(answer.is_(None)).values({answer: now}))
    moved = None
    if found.joined if leaving else found.left:
        free = _is_free(connection, found.address)
        if free:
            _move(connection, found, now, network)
            moved = found.subscriber.address
        outcome = Outcome.CHANGED if free else Outcome.TAKEN
        connection.execute(this.values(ended_at=now, outcome=outcome))
    agreed = change_of(connection, asked, now)
    return replace(agreed, moved=moved) if agreed is not None else None


def refuse(connection: Connection, asked: Asked, now: datetime) -> Change | None:
    """One of the two addresses does not want it; harmless to repeat, and too late once the address has changed."""
    found = change_of(connection, asked, now, lock=True)
    if found is not None and found.outcome is Outcome.OPEN:
        ended = update(address_change).where(address_change.c.id == found.id)
        connection.execute(ended.values(ended_at=now, outcome=Outcome.REFUSED))
        return change_of(connection, asked, now)
    return found


def _is_free(connection: Connection, address: Address) -> bool:
    taken = connection.scalar(select(subscriber.c.id).where(subscriber.c.address_key == address.key))
    return taken is None and reason_of(connection, address.key) is None


def note(connection: Connection, before: Address, after: Address, now: datetime, journal: ReaderJournal) -> None:
    """Write a change into the journal."""
    journal.note(connection, now, Word.MOVED, before.key, to=after.key)


def _move(connection: Connection, found: Change, now: datetime, network: str) -> None:
    held, address = found.subscriber, found.address
    moved = update(subscriber).where(subscriber.c.id == held.id)
    connection.execute(moved.values(email=address.email, address_key=address.key))
    # What failed at the old address says nothing of the new one.
    values = {"since": now, "probe_at": now, "probed_at": now, "until": None}
    statement = conflict_insert(connection, bounce_pause).values(subscriber_id=held.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["subscriber_id"], set_=values))
    told = {"before": held.email, "after": address.email, "how": f"both addresses agreed, the last from {network}"}
    write_events(connection, [(held.id, Event(now, "moved", told))])


def _change(row: Row, held: Subscriber) -> Change:  # type: ignore[type-arg]
    return Change(
        id=row.id,
        subscriber=held,
        address=Address(row.email, row.address_key),
        asked_at=row.asked_at,
        left=row.left_at is not None,
        joined=row.joined_at is not None,
        outcome=Outcome(row.outcome),
    )
