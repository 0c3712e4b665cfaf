"""A database that was restored from an old backup learns from the readers' journal what people decided since.

Only what keeps mail back is done again: who unsubscribed, was suppressed, was erased, or moved. The last word counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Engine, Row, select, update

from subscribers.addresses import Address
from subscribers.database import writing
from subscribers.journal import Line, ReaderJournal, Word, digest_of
from subscribers.model import Event, Status
from subscribers.records import write_events
from subscribers.suppressing import BY_HAND, COMPLAINED, ERASED, lift, remember_digest, suppress
from subscribers.tables import address_change, request, subscriber, subscription, suppression

__all__ = ["Replayed", "is_behind", "replay"]

_HOW = "the database was restored from a backup; the journal says this"
_PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many people were told again that they are unsubscribed, suppressed, erased; and how many have `moved` to an
    address that nobody knows any more: they get nothing."""

    unsubscribed: int = 0
    suppressed: int = 0
    erased: int = 0
    moved: int = 0

    @property
    def anybody(self) -> bool:
        """Whether it was about anybody."""
        return bool(self.unsubscribed or self.suppressed or self.erased or self.moved)


@dataclass(slots=True)
class _Verdict:
    ended: set[str] = field(default_factory=set)
    reason: str = ""
    erased: bool = False
    moved: bool = False
    seen: bool = False


def is_behind(engine: Engine, journal: ReaderJournal) -> bool:
    """Whether the journal has lines that the database does not know of."""
    last = journal.last()
    if not last:
        return False
    with engine.connect() as connection:
        return journal.mark(connection) < last


def replay(
    engine: Engine, journal: ReaderJournal, now: datetime, erase: Callable[[Connection, Address], None]
) -> Replayed:
    """Do again what the lines say that the database does not know; `erase` erases whoever has an address.

    May be repeated, and is when it was cut short: the database says that it knows the lines when all is done.
    """
    with engine.connect() as connection:
        known = journal.mark(connection)
    last = journal.last()
    verdicts, moves = _verdicts(line for line in journal.lines(known) if line.line <= last)
    counts = dict.fromkeys(("unsubscribed", "suppressed", "erased", "moved"), 0)
    salts = {salt for _, salt in verdicts}
    for number, address in _people(engine):
        for salt in salts:
            verdict = _verdict_of(verdicts, moves, digest_of(address.key, salt), salt)
            # Of who is no subscriber nothing is held that an erasure alone does not end.
            if verdict is not None and (number or verdict.erased):
                verdicts[digest_of(address.key, salt), salt].seen = True
                done = _carry_out(engine, number, address, verdict, now, erase)
                counts |= {done: counts[done] + 1} if done else {}
    with writing(engine) as connection:
        for (digest, salt), verdict in verdicts.items():
            if not verdict.seen and verdict.reason:
                remember_digest(connection, digest, salt, verdict.reason, now)
                counts["erased" if verdict.erased else "suppressed"] += 1
        journal.catch_up(connection, last)
    return Replayed(**counts)


def _verdicts(lines: Iterable[Line]) -> tuple[dict[tuple[str, str], _Verdict], dict[tuple[str, str], str]]:
    """What the lines come to for each digest and salt, and who moved whereto."""
    found: dict[tuple[str, str], _Verdict] = {}
    moves: dict[tuple[str, str], str] = {}
    for line in lines:
        each = found.setdefault((line.who, line.salt), _Verdict())
        match line.what:
            case Word.UNSUBSCRIBED:
                each.ended |= set(line.newsletters)
            case Word.CONFIRMED:
                each.ended -= set(line.newsletters)
            case Word.SUPPRESSED:
                each.reason = line.reason
            case Word.UNSUPPRESSED:
                each.reason = ""
            case Word.ERASED:
                each.erased, each.reason = True, line.reason
            case Word.MOVED:
                each.moved, moves[line.who, line.salt] = True, line.to
    return found, moves


def _verdict_of(
    verdicts: dict[tuple[str, str], _Verdict], moves: dict[tuple[str, str], str], digest: str, salt: str
) -> _Verdict | None:
    """What is said of whoever has that digest, also under the addresses they moved to."""
    first = verdicts.get((digest, salt))
    if first is None:
        return None
    whole = _Verdict(set(first.ended), first.reason, first.erased, first.moved)
    seen = {digest}
    while (digest := moves.get((digest, salt), "")) and digest not in seen:
        seen.add(digest)
        if (later := verdicts.get((digest, salt))) is not None:
            whole.erased = whole.erased or later.erased
            whole.reason = whole.reason or later.reason
    return whole


def _carry_out(
    engine: Engine,
    number: int,
    address: Address,
    verdict: _Verdict,
    now: datetime,
    erase: Callable[[Connection, Address], None],
) -> str | None:
    """Do what is said of somebody, in one transaction; as what it is counted, None where the database knew."""
    with writing(engine) as connection:
        stronger = verdict.reason in (COMPLAINED, BY_HAND)
        suppressed = bool(verdict.reason) and (stronger or not verdict.erased)
        suppressed = suppressed and suppress(connection, address, verdict.reason, now, _HOW, None)
        if verdict.erased:
            erase(connection, address)
            if not verdict.reason:  # and they came back afterwards
                lift(connection, address.key, {ERASED})
            return "erased"
        ended = (verdict.moved or bool(verdict.ended)) and _end(
            connection, number, None if verdict.moved else verdict.ended, now
        )
        if ended:
            return "moved" if verdict.moved else "unsubscribed"
        return "suppressed" if suppressed else None


def _end(connection: Connection, number: int, newsletters: set[str] | None, now: datetime) -> bool:
    live = (subscription.c.subscriber_id == number) & (subscription.c.status != Status.UNSUBSCRIBED)
    if newsletters is not None:
        live &= subscription.c.newsletter.in_(newsletters)
    ended = update(subscription).where(live).values(status=Status.UNSUBSCRIBED, changed_at=now)
    names = sorted(connection.scalars(ended.returning(subscription.c.newsletter)))
    if names:
        write_events(connection, [(number, Event(now, "unsubscribed", {"newsletters": names, "how": _HOW}))])
    return bool(names)


def _people(engine: Engine) -> Iterator[tuple[int, Address]]:
    """Everybody whose address is held, by number, which is 0 for who is no subscriber: a hash tells whose it is only
    when it is made again."""
    for row in _rows(engine, subscriber.c.id, subscriber.c.email, subscriber.c.address_key):
        yield row.id, Address(row.email, row.address_key)
    strangers = {row.address_key: row.address_key for row in _rows(engine, suppression.c.address_key)}
    for table in (request, address_change):
        strangers |= {row.address_key: row.email for row in _rows(engine, table.c.id, *table.c["email", "address_key"])}
    yield from ((0, Address(email, key)) for key, email in strangers.items())


def _rows(engine: Engine, key: Column[Any], *columns: Column[Any]) -> Iterator[Row[Any]]:
    """The rows of a table, page by page, in the order of their key."""
    query = select(key, *columns).order_by(key).limit(_PAGE)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    while rows:
        yield from rows
        with engine.connect() as connection:
            rows = connection.execute(query.where(key > rows[-1][0])).all()
