"""The door for what came back: taking it, once, with its consequence; looking at what is held; pauses that end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, select, update

from subscribers.addresses import parse_address
from subscribers.bounces.judging import PATIENCE, PROBE_AFTER, is_dead, is_jump, weighed
from subscribers.bounces.model import FAILURES, SCORED, BounceClass, Consequence, Held, Origin, Report
from subscribers.database import conflict_insert, writing
from subscribers.errors import AddressError
from subscribers.journal import ReaderJournal, Word
from subscribers.model import Event, Subscriber
from subscribers.records import Listener, find_subscribers, write_events
from subscribers.suppressing import BOUNCED, COMPLAINED, suppress_key, tell
from subscribers.tables import bounce, bounce_pause, subscriber, suppression

__all__ = ["BOUNCED", "COMPLAINED", "Bounces"]

_TELLING = (*FAILURES, BounceClass.COMPLAINT)
_LONGEST = 300


class Bounces:
    """Everything that came back, in the database of `engine`.

    Every verb that changes something has committed it when it returns, and may be repeated. Instants are aware.
    """

    def __init__(self, engine: Engine, journal: ReaderJournal | None = None, listener: Listener | None = None) -> None:
        self._engine = engine if listener is None else engine.execution_options(listener=listener)
        self._journal = journal

    def take(
        self,
        report: Report,
        origin: Origin,
        digest: str,
        now: datetime,
        *,
        mailed: Callable[[], Sequence[tuple[int, datetime]]],
        handed: Callable[[], int],
    ) -> tuple[BounceClass, Consequence]:
        """Write down what a message says of a delivery, and do what follows; the class that counted, and that.

        `digest` tells messages apart: the same one is taken once. `mailed` gives number and instant of everything
        that was lately handed over for the subscriber, in order, `handed` how many messages of the issue went to the
        provider; both are asked only where it matters. The caller has made sure that the delivery is the one meant.
        """
        kind = weighed(report, origin.email)
        if kind not in _TELLING:
            return kind, Consequence.NOTED
        with writing(self._engine) as connection:
            found = find_subscribers(connection, subscriber.c.id == origin.subscriber, lock=True)
            if not found:
                return kind, Consequence.NOBODY
            row = _write(connection, report, origin, kind, digest, now)
            if row is None:
                return kind, Consequence.KNOWN
            held = found[0]
            detail = " ".join(filter(None, (origin.issue, report.status, report.words)))[:_LONGEST]
            fate = Consequence.NOTED
            if not _is_theirs(origin, held):
                pass  # they have another address since, of which this says nothing
            elif kind is BounceClass.COMPLAINT:
                fate = _suppress(connection, held, COMPLAINED, detail, now)
            elif kind is BounceClass.ADDRESS and self._hold(connection, origin, handed, now):
                fate = Consequence.HELD
            elif kind is BounceClass.ADDRESS:
                fate = _suppress(connection, held, BOUNCED, detail, now)
            elif kind in SCORED:
                fate = _score(connection, origin, held, mailed, detail, now)
            connection.execute(update(bounce).where(bounce.c.id == row).values(fate=fate))
            what = "complained" if kind is BounceClass.COMPLAINT else "bounced"
            said = {"issue": origin.issue, "class": kind, "status": report.status, "words": report.words, "then": fate}
            write_events(connection, [(held.id, Event(now, what, said))])
            if fate is Consequence.SUPPRESSED:
                reason = COMPLAINED if kind is BounceClass.COMPLAINT else BOUNCED
                tell(self._journal, connection, [held.address.key], reason, now)
            return kind, fate

    def people(self, issues: Collection[str], kind: BounceClass) -> int:
        """From how many people something of that class came back of these issues: one reader who reports seven mails
        is one."""
        query = select(func.count(bounce.c.subscriber_id.distinct()))
        query = query.where(bounce.c.issue.in_(issues), bounce.c.kind == kind)
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def by_provider(self, issues: Collection[str]) -> dict[str, int]:
        """Of how many deliveries of these issues a failure came back later, by the domain they went to."""
        query = select(bounce.c.provider, func.count(bounce.c.delivery.distinct()))
        query = query.where(bounce.c.issue.in_(issues), bounce.c.kind.in_(FAILURES)).group_by(bounce.c.provider)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def ever(self) -> bool:
        """Whether anything that came back was ever read."""
        with self._engine.connect() as connection:
            return connection.scalar(select(bounce.c.id).limit(1)) is not None

    def held(self) -> list[Held]:
        """What waits for somebody to look at it, by provider, the most people first."""
        people = func.count(bounce.c.subscriber_id.distinct())
        query = (
            select(bounce.c.provider, people, func.min(bounce.c.at), func.max(bounce.c.at), func.max(bounce.c.words))
            .where(bounce.c.fate == Consequence.HELD)
            .group_by(bounce.c.provider)
            .order_by(people.desc(), bounce.c.provider)
        )
        with self._engine.connect() as connection:
            return [
                Held(provider=provider, people=number, first=first, last=last, words=words)
                for provider, number, first, last, words in connection.execute(query)
            ]

    def settle(self, provider: str, now: datetime, *, dead: bool, how: str) -> int:
        """Suppress everybody who is held of a provider, or with `dead` false let them be; returns how many."""
        with writing(self._engine) as connection:
            chosen = and_(bounce.c.provider == provider.lower(), bounce.c.fate == Consequence.HELD)
            people = _people(connection, chosen)
            after = Consequence.SUPPRESSED if dead else Consequence.RELEASED
            connection.execute(update(bounce).where(chosen).values(fate=after))
            if dead:
                for each in people:
                    suppress_key(connection, each.address.key, BOUNCED, now, f"{provider}: {how}")
            event = Event(now, str(after), {"reason": BOUNCED, "how": how})
            write_events(connection, [(each.id, event) for each in people])
            if dead:
                tell(self._journal, connection, [each.address.key for each in people], BOUNCED, now)
            return len(people)

    def _hold(self, connection: Connection, origin: Origin, handed: Callable[[], int], now: datetime) -> bool:
        """Whether the provider suddenly knows too many of an issue's readers no longer; all of them are held then, also
        who was suppressed before there were so many."""
        same = and_(
            bounce.c.issue == origin.issue,
            bounce.c.kind == BounceClass.ADDRESS,
            bounce.c.provider == origin.provider,
        )
        held = (
            select(bounce.c.id).where(bounce.c.provider == origin.provider, bounce.c.fate == Consequence.HELD).limit(1)
        )
        if connection.scalar(held) is not None:
            return True  # until somebody has looked
        people = connection.scalar(select(func.count(bounce.c.subscriber_id.distinct())).where(same)) or 0
        if not is_jump(people, 0) or not is_jump(people, handed()):
            return False
        early = and_(same, bounce.c.fate == Consequence.SUPPRESSED)
        freed = _people(connection, early)
        keys = [each.address.key for each in freed]
        theirs = delete(suppression).where(suppression.c.address_key.in_(keys), suppression.c.reason == BOUNCED)
        lifted = connection.scalars(theirs.returning(suppression.c.address_key)).all()
        connection.execute(update(bounce).where(early).values(fate=Consequence.HELD))
        why = f"{people} addresses of {origin.provider} became unknown at once"
        write_events(connection, [(each.id, Event(now, "held", {"reason": why})) for each in freed])
        for key in lifted if self._journal else ():
            assert self._journal
            self._journal.note(connection, now, Word.UNSUPPRESSED, key)
        return True

    def awaking(self, now: datetime) -> list[tuple[int, datetime, datetime | None]]:
        """Who is paused no longer, by number: since when a message may show how things stand, and when one left."""
        query = select(bounce_pause.c.subscriber_id, bounce_pause.c.probe_at, bounce_pause.c.probed_at)
        with self._engine.connect() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(query.where(bounce_pause.c.until <= now))]

    def probed(self, subscriber_id: int, at: datetime, now: datetime) -> bool:
        """Note when the one message left; nothing more is sent until what may come back of it has had its time.

        True when that time is over already, and the pause with it.
        """
        over = at + PATIENCE <= now
        with writing(self._engine) as connection:
            this = update(bounce_pause).where(
                bounce_pause.c.subscriber_id == subscriber_id, bounce_pause.c.until.is_not(None)
            )
            values = {"probed_at": at, "until": None if over else at + PATIENCE}
            if connection.execute(this.values(values)).rowcount and over:
                write_events(connection, [(subscriber_id, Event(now, "resumed", {"how": "a message arrived again"}))])
        return over


def _write(
    connection: Connection, report: Report, origin: Origin, kind: BounceClass, digest: str, now: datetime
) -> int | None:
    """The number of the new row, or None where the same message said the same of that delivery before."""
    values = {
        "delivery": origin.delivery,
        "kind": kind,
        "digest": digest,
        "subscriber_id": origin.subscriber,
        "newsletter": origin.newsletter,
        "issue": origin.issue,
        "provider": origin.provider,
        "status": report.status,
        "words": report.words,
        "sent_at": origin.sent_at,
        "at": now,
        "fate": Consequence.NOTED,
    }
    statement = conflict_insert(connection, bounce).values(values).on_conflict_do_nothing()
    return connection.execute(statement.returning(bounce.c.id)).scalar_one_or_none()


def _is_theirs(origin: Origin, held: Subscriber) -> bool:
    """Whether the subscriber still has the address that the message went to."""
    try:
        return parse_address(origin.email).key == held.address.key
    except AddressError:
        return False


def _suppress(connection: Connection, held: Subscriber, reason: str, detail: str, now: datetime) -> Consequence:
    done = suppress_key(connection, held.address.key, reason, now, detail)
    return Consequence.SUPPRESSED if done else Consequence.NOTED


def _score(
    connection: Connection,
    origin: Origin,
    held: Subscriber,
    mailed: Callable[[], Sequence[tuple[int, datetime]]],
    detail: str,
    now: datetime,
) -> Consequence:
    mine = bounce_pause.c.subscriber_id == held.id
    pause = connection.execute(select(bounce_pause).where(mine)).one_or_none()
    if pause is not None and pause.until is not None:
        if origin.sent_at < pause.probe_at:
            return Consequence.SCORED  # of a message that left before the pause
        connection.execute(update(bounce_pause).where(mine).values(until=None))
        return _suppress(connection, held, BOUNCED, f"the probe, too: {detail}"[:_LONGEST], now)
    counted = [each for each in mailed() if pause is None or each[1] > pause.since]
    kinds = select(bounce.c.delivery, bounce.c.kind).where(bounce.c.subscriber_id == held.id)
    rows = connection.execute(kinds).all()
    failed = {number for number, kind in rows if kind in (*SCORED, BounceClass.ADDRESS)}
    silent = {number for number, kind in rows if kind == BounceClass.POLICY} - failed
    if not is_dead(origin.delivery, counted, failed, silent):
        return Consequence.SCORED
    until = now + PROBE_AFTER
    values = {"since": now, "probe_at": until, "probed_at": None, "until": until}
    statement = conflict_insert(connection, bounce_pause).values(subscriber_id=held.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["subscriber_id"], set_=values))
    return Consequence.PAUSED


def _people(connection: Connection, chosen: ColumnElement[bool]) -> list[Subscriber]:
    numbers = select(bounce.c.subscriber_id).where(chosen)
    return find_subscribers(connection, subscriber.c.id.in_(numbers), lock=True)
