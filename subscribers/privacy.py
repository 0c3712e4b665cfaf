"""The door for what concerns one person's rights: all that is held of them, another address, erasure, suppression."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from subscribers import changing, erasing, holdings, suppressing
from subscribers.addresses import Address, parse_address
from subscribers.changing import Change
from subscribers.database import writing
from subscribers.errors import UnknownSubscriberError
from subscribers.journal import ReaderJournal, Word
from subscribers.model import Event, Subscriber
from subscribers.records import find_subscribers, write_events
from subscribers.requests import Asked, RequestKind
from subscribers.requests import agree as agree_request
from subscribers.tables import subscriber

__all__ = ["Privacy"]


class Privacy:
    """What people may ask of whoever holds their address, in the database of `engine`.

    Every verb that takes no connection has committed what it changes when it returns. Instants are aware.
    """

    def __init__(self, engine: Engine, journal: ReaderJournal | None = None) -> None:
        self._engine = engine
        self._journal = journal

    def holdings(self, held: Subscriber) -> dict[str, Any]:
        """Everything that this house holds of them; see `subscribers.holdings.held_of`."""
        with self._engine.connect() as connection:
            return holdings.held_of(connection, held)

    def unsuppress(self, address: str, why: str, now: datetime, who: str) -> str | None:
        """Let the address be mailed again, whatever spoke against it; the reason that it had, or None.

        Subscriptions stay as they are. Raises `AddressError`.
        """
        parsed = parse_address(address)
        with writing(self._engine) as connection:
            known = find_subscribers(connection, subscriber.c.address_key == parsed.key, lock=True)
            reason = suppressing.lift(connection, parsed.key)
            if reason is None:
                return None
            event = Event(now, "unsuppressed", {"was": reason, "reason": why, "how": who})
            write_events(connection, [(held.id, event) for held in known])
            if self._journal:
                self._journal.note(connection, now, Word.UNSUPPRESSED, parsed.key)
            return reason

    def erase(self, connection: Connection, address: Address, now: datetime) -> erasing.Erased | None:
        """Erase a person within the caller's transaction; see `subscribers.erasing.erase`."""
        return erasing.erase(connection, address, now)

    def note_erased(self, connection: Connection, erased: erasing.Erased, now: datetime) -> None:
        """Write it into the journal, as the last thing of that transaction."""
        if self._journal:
            erasing.note(connection, erased, now, self._journal)

    def ask_change(
        self, held: Subscriber, address: Address, now: datetime, *, language: str, network: str, form: str
    ) -> None:
        """Have the old and the new address asked; see `subscribers.changing.ask_change`."""
        with writing(self._engine) as connection:
            changing.ask_change(connection, held, address, now, language=language, network=network, form=form)

    def change_of(self, asked: Asked, now: datetime) -> Change | None:
        """The change of address that a request is about."""
        with self._engine.connect() as connection:
            return changing.change_of(connection, asked, now)

    def agree(self, connection: Connection, asked: Asked, now: datetime, network: str) -> Change | None:
        """One of two addresses agrees, within the caller's transaction; see `subscribers.changing.agree`."""
        agree_request(connection, asked.id, now)
        return changing.agree(connection, asked, now, network)

    def note_moved(self, connection: Connection, before: Address, after: Address, now: datetime) -> None:
        """Write a change of address into the journal, as the last thing of its transaction."""
        if self._journal:
            changing.note(connection, before, after, now, self._journal)

    def refuse(self, asked: Asked, now: datetime) -> Change | None:
        """One of two addresses refuses; see `subscribers.changing.refuse`."""
        with writing(self._engine) as connection:
            return changing.refuse(connection, asked, now)

    def whose(self, asked: Asked) -> Subscriber:
        """Who asked for a link to their data; raises `UnknownSubscriberError`."""
        with self._engine.connect() as connection:
            found = find_subscribers(connection, subscriber.c.address_key == asked.address.key)
        if asked.kind is not RequestKind.DATA or not found:
            raise UnknownSubscriberError("the request is not about anybody's data, or they are gone")
        return found[0]
