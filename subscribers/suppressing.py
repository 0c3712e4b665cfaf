"""Who must not be mailed, and why: by address, or by a salted hash of one that nobody here knows any more."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, literal, select

from subscribers.addresses import Address
from subscribers.database import conflict_insert
from subscribers.journal import ReaderJournal, Word, digest_of
from subscribers.model import Event
from subscribers.records import find_subscribers, write_events
from subscribers.tables import erasure, subscriber, suppression

__all__ = [
    "BOUNCED",
    "BY_HAND",
    "COMPLAINED",
    "ERASED",
    "LIFTED",
    "lift",
    "line_of",
    "reason_of",
    "remember",
    "remember_digest",
    "suppress",
    "suppress_key",
    "tell",
    "told",
]

BOUNCED, COMPLAINED, ERASED, BY_HAND = "bounced", "complaint", "erased", "by hand"

LIFTED = frozenset({ERASED, BOUNCED})
"""Reasons that end when the person confirms a new subscription; a complaint never does."""


def told(reason: str) -> str:
    """The reason as it may stand where nobody is named: what a person typed may name somebody."""
    return reason if reason in (BOUNCED, COMPLAINED, ERASED) else BY_HAND


def suppress(
    connection: Connection, address: Address, reason: str, now: datetime, detail: str, journal: ReaderJournal | None
) -> bool:
    """Never mail this address again, known or not; False when that changes nothing (see `suppress_key`)."""
    # The row is locked before the suppression is written: `still_wanted` waits for it there.
    known = find_subscribers(connection, subscriber.c.address_key == address.key, lock=True)
    if not suppress_key(connection, address.key, reason, now, detail):
        return False
    event = Event(now, "suppressed", {"reason": reason, "detail": detail})
    write_events(connection, [(held.id, event) for held in known])
    tell(journal, connection, [address.key], reason, now)
    return True


def suppress_key(connection: Connection, key: str, reason: str, now: datetime, detail: str) -> bool:
    """Write the suppression alone: the caller has locked whose it is, writes the history, and tells the journal last.

    The first reason stays, unless it may be lifted and the new one is a complaint. False when nothing changed.
    """
    present, strong = reason_of(connection, key), reason == COMPLAINED
    if present is not None and not (strong and present in LIFTED):
        return False
    statement = conflict_insert(connection, suppression).values(address_key=key, reason=reason, detail=detail, at=now)
    if strong:
        wanted = {name: statement.excluded[name] for name in ("reason", "detail", "at")}
        where = suppression.c.reason.in_(LIFTED)
        statement = statement.on_conflict_do_update(index_elements=["address_key"], set_=wanted, where=where)
    else:
        statement = statement.on_conflict_do_nothing()
    # RETURNING tells: an INSERT's rowcount is -1 on PostgreSQL.
    return connection.scalar(statement.returning(suppression.c.address_key)) is not None


def tell(
    journal: ReaderJournal | None, connection: Connection, keys: Iterable[str], reason: str, now: datetime
) -> None:
    """Note in the journal, as the last thing of the transaction, that these must not be mailed."""
    for key in keys if journal else ():
        assert journal
        journal.note(connection, now, Word.SUPPRESSED, key, reason=told(reason))


def reason_of(connection: Connection, key: str) -> str | None:
    """Why the address must not be mailed, or None."""
    found = line_of(connection, key)
    return found[1] if found else None


def line_of(connection: Connection, key: str) -> tuple[datetime, str, str] | None:
    """Since when, why, and in which words, the address must not be mailed; None where it may be."""
    clear = select(suppression.c.at, suppression.c.reason, suppression.c.detail)
    row = connection.execute(clear.where(suppression.c.address_key == key)).first()
    if row is None:
        hidden = select(erasure.c.at, erasure.c.reason, literal("").label("detail"))
        row = connection.execute(hidden.where(erasure.c.digest.in_(_digests(connection, key)))).first()
    return (row.at, row.reason, row.detail) if row else None


def lift(connection: Connection, key: str, reasons: Collection[str] | None = None) -> str | None:
    """End a suppression for one of these reasons, or for any; the reason that it had, None where there was none."""
    found = reason_of(connection, key)
    if found is None or (reasons is not None and found not in reasons):
        return None
    connection.execute(delete(suppression).where(suppression.c.address_key == key))
    connection.execute(delete(erasure).where(erasure.c.digest.in_(_digests(connection, key))))
    return found


def remember(connection: Connection, key: str, reason: str, now: datetime) -> None:
    """Keep, without the address, that it must not be mailed."""
    if reason_of(connection, key) is None:
        # One salt for all is enough to keep tables of hashes of other houses from fitting; more only cost time.
        salt = connection.scalar(select(erasure.c.salt).limit(1)) or secrets.token_hex(16)
        remember_digest(connection, digest_of(key, salt), salt, reason, now)


def remember_digest(connection: Connection, digest: str, salt: str, reason: str, now: datetime) -> None:
    """The same of an address that only a journal knew."""
    values = {"digest": digest, "salt": salt, "reason": reason, "at": now}
    connection.execute(conflict_insert(connection, erasure).values(values).on_conflict_do_nothing())


def _digests(connection: Connection, key: str) -> list[str]:
    return [digest_of(key, salt) for salt in connection.scalars(select(erasure.c.salt).distinct())]
