"""The door of this house: what a command or a screen may ask for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from subscribers import (
    choosing,
    documents,
    erasing,
    exporting,
    growth,
    importing,
    looking,
    requests,
    suppressing,
)
from subscribers.addresses import parse_address
from subscribers.audience import still_wanted
from subscribers.choosing import Choice, Decision
from subscribers.database import upgrade, writing
from subscribers.errors import UnknownSubscriberError
from subscribers.growth import Change, Ending
from subscribers.importing import ImportReport
from subscribers.journal import ReaderJournal, Word
from subscribers.model import Event, Fate, Preferences, SignUp, Status, Subscriber
from subscribers.records import Listener, find_subscribers, suppressed_keys, write_events
from subscribers.requests import Asked, RequestKind
from subscribers.signups import Terms
from subscribers.tables import subscriber, subscription

__all__ = ["Subscribers"]


class Subscribers:
    """Everybody who asked to hear from us, in the database of `engine`.

    Every verb that changes something has committed it when it returns, and may be repeated. Instants are aware. What
    people decide about mail is written into the `journal` as well.
    """

    def __init__(self, engine: Engine, journal: ReaderJournal | None = None, listener: Listener | None = None) -> None:
        self._engine = engine if listener is None else engine.execution_options(listener=listener)
        self._journal = journal

    def upgrade(self) -> None:
        """Bring the tables to the newest version."""
        upgrade(self._engine)

    def add(self, signup: SignUp, now: datetime, how: str = "added by hand") -> Fate:
        """Enrol one address, as `subscribers.signups.sign_up` makes it.

        It revives nobody: the fate says so where the person unsubscribed or is suppressed.
        """
        with writing(self._engine) as connection:
            return importing.take(connection, [signup], now, how)[0]

    def import_file(
        self,
        path: Path,
        terms: Terms,
        now: datetime,
        *,
        dry_run: bool = False,
        rejects: Path | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ImportReport:
        """Take a CSV file in; see `subscribers.importing.import_file`."""
        return importing.import_file(
            self._engine, path, terms, now, dry_run=dry_run, rejects=rejects, progress=progress
        )

    def export_file(
        self,
        path: Path,
        *,
        safe: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Write a CSV file and return its rows; see `subscribers.exporting.export_file`."""
        return exporting.export_file(self._engine, path, safe=safe, progress=progress)

    def export_text(self, *, safe: bool = False) -> Iterator[str]:
        """The same file piece by piece, for somebody far away; see `subscribers.exporting.export_text`."""
        return exporting.export_text(self._engine, safe=safe)

    def get(self, subscriber_id: int) -> Subscriber:
        """The subscriber of that number; raises `UnknownSubscriberError`."""
        with self._engine.connect() as connection:
            return _one(connection, subscriber.c.id == subscriber_id, f"number {subscriber_id}")

    def find(self, address: str) -> Subscriber:
        """The subscriber with that address; raises `AddressError` or `UnknownSubscriberError`."""
        parsed = parse_address(address)
        with self._engine.connect() as connection:
            return _one(connection, subscriber.c.address_key == parsed.key, parsed.email)

    def former_addresses(self, subscriber_id: int) -> list[str]:
        """The addresses that the subscriber of that number had before, as their history says."""
        with self._engine.connect() as connection:
            return [each.email for each in erasing.former_addresses(connection, subscriber_id)]

    def page(self, after: int = 0, limit: int = 50) -> list[Subscriber]:
        """Up to `limit` subscribers whose numbers follow `after`."""
        with self._engine.connect() as connection:
            return find_subscribers(connection, subscriber.c.id > after, limit=limit)

    def look(
        self,
        *,
        begins: str = "",
        newsletters: Sequence[str] = (),
        status: str | None = None,
        below: int | None = None,
        limit: int = 50,
    ) -> list[Subscriber]:
        """Up to `limit` subscribers, the latest first; with `begins` those whose address begins so, in its order.

        Only those who have a subscription to one of `newsletters` (where any are named), of that `status`. The list
        goes on behind the subscriber numbered `below`. A beginning is found by an index; a part of an address would be
        looked for in a million.
        """
        with self._engine.connect() as connection:
            numbers = looking.numbers(connection, begins, newsletters, status, below, limit)
            found = {each.id: each for each in find_subscribers(connection, subscriber.c.id.in_(numbers))}
        return [found[number] for number in numbers if number in found]

    def count(self, newsletter: str) -> dict[Status, int]:
        """How many subscriptions of a newsletter there are of each status."""
        query = (
            select(subscription.c.status, func.count().label("number"))
            .where(subscription.c.newsletter == newsletter)
            .group_by(subscription.c.status)
        )
        with self._engine.connect() as connection:
            found = {row.status: row.number for row in connection.execute(query)}
        return {status: found.get(status, 0) for status in Status}

    def changes(self, start: datetime, end: datetime) -> Sequence[Change]:
        """How many subscriptions came and went; see `subscribers.growth.changes`."""
        return growth.changes(self._engine, start, end)

    def endings(self, start: datetime, end: datetime) -> Sequence[Ending]:
        """Which subscriptions ended; see `subscribers.growth.endings`."""
        return growth.endings(self._engine, start, end)

    def show(self, address: str) -> dict[str, object]:
        """The document of `newsletter subscribers show --json`; raises as `find` does.

        An address that is only suppressed is shown too.
        """
        parsed = parse_address(address)
        with self._engine.connect() as connection:
            line = documents.suppressed_line(connection, parsed)
            found = find_subscribers(connection, subscriber.c.address_key == parsed.key)
            if line and not found:
                return documents.whole(Subscriber(address=parsed), [line], suppressed=True)
            held = _only(found, parsed.email)
            return documents.whole(held, documents.history(connection, held.id), suppressed=line is not None)

    def documents(self, people: Sequence[Subscriber]) -> list[dict[str, object]]:
        """The documents of `show`, without their histories."""
        with self._engine.connect() as connection:
            shut = suppressed_keys(connection, [each.address.key for each in people])
        return [documents.row(each, suppressed=each.address.key in shut) for each in people]

    def preferences(self, subscriber_id: int) -> Preferences:
        """What that subscriber chose; raises `UnknownSubscriberError`."""
        return self.get(subscriber_id).preferences

    def set_preferences(
        self,
        subscriber_id: int,
        preferences: Preferences,
        now: datetime,
        *,
        regions: Sequence[str] = (),
        how: str = "preferences page",
    ) -> bool:
        """Replace what that subscriber chose themselves, here and now, and return whether it differs.

        From now on no file changes it. Raises `PreferenceError` or `UnknownSubscriberError`.
        """
        every = {each.name: getattr(preferences, each.name) for each in fields(preferences)}
        choice = self.choose(subscriber_id, every, now, how=how, decision=Decision(now, how), regions=regions)
        return bool(choice.changed)

    def choose(
        self,
        subscriber_id: int,
        wanted: Mapping[str, object],
        now: datetime,
        *,
        how: str,
        decision: Decision | None = None,
        regions: Sequence[str] = (),
    ) -> Choice:
        """Change some of a subscriber's preferences; see `subscribers.choosing.choose`.

        Raises `PreferenceError` or `UnknownSubscriberError`.
        """
        with writing(self._engine) as connection:
            held = _one(connection, subscriber.c.id == subscriber_id, f"number {subscriber_id}", lock=True)
            return choosing.choose(connection, held, wanted, now, how=how, decision=decision, regions=regions)

    def unsubscribe(
        self, address: str, newsletter: str | None, now: datetime, how: str = "asked us", issue: str | None = None
    ) -> tuple[str, ...]:
        """End one subscription, or with None all of them; the newsletters that ended with this call.

        `issue` is the one whose link was followed, where that is known. Empty when there was nothing left to end.
        Raises `AddressError` or `UnknownSubscriberError`.
        """
        parsed = parse_address(address)
        with writing(self._engine) as connection:
            held = _one(connection, subscriber.c.address_key == parsed.key, parsed.email, lock=True)
            live = subscription.c.status != Status.UNSUBSCRIBED
            mine = live & (subscription.c.subscriber_id == held.id)
            if newsletter is not None:
                mine &= subscription.c.newsletter == newsletter
            ended = connection.scalars(
                update(subscription)
                .where(mine)
                .values(status=Status.UNSUBSCRIBED, changed_at=now)
                .returning(subscription.c.newsletter)
            )
            names = tuple(sorted(ended))
            if names:
                told = {"newsletters": names, "how": how} | ({"issue": issue} if issue else {})
                event = Event(now, "unsubscribed", told)
                write_events(connection, [(held.id, event)])
                if self._journal:
                    self._journal.note(connection, now, Word.UNSUBSCRIBED, held.address.key, newsletters=names)
            return names

    def undo_unsubscribe(self, subscriber_id: int, newsletter: str, since: datetime, now: datetime) -> bool:
        """Take back an unsubscription made after `since`, under the consent that stood before; False for an older one.

        Raises `UnknownSubscriberError`.
        """
        with writing(self._engine) as connection:
            held = _one(connection, subscriber.c.id == subscriber_id, f"number {subscriber_id}", lock=True)
            mine = (subscription.c.subscriber_id == held.id) & (subscription.c.newsletter == newsletter)
            lately = (subscription.c.status == Status.UNSUBSCRIBED) & (subscription.c.changed_at > since)
            agreed = subscription.c.consent_at.is_not(None) & subscription.c.consent_source.is_not(None)
            back = update(subscription).where(mine, lately, agreed).values(status=Status.CONFIRMED, changed_at=now)
            if not connection.execute(back).rowcount:
                return False
            told = {"newsletters": [newsletter], "how": "unsubscribe page, undone"}
            write_events(connection, [(held.id, Event(now, "confirmed", told))])
            if self._journal:
                self._journal.note(connection, now, Word.CONFIRMED, held.address.key, newsletters=[newsletter])
            return True

    def ask(self, kind: RequestKind, signup: SignUp, now: datetime, *, language: str, network: str, form: str) -> None:
        """Note what somebody asked for by a public form; see `subscribers.requests.ask`."""
        with writing(self._engine) as connection:
            requests.ask(connection, kind, signup, now, language=language, network=network, form=form)

    def requests(self, most_tries: int) -> Sequence[Asked]:
        """Requests whose mail is still to be carried, tried fewer than `most_tries` times."""
        with self._engine.connect() as connection:
            return requests.waiting(connection, most_tries)

    def request(self, number: int) -> Asked:
        """The request of that number; raises `UnknownSubscriberError`."""
        with self._engine.connect() as connection:
            return requests.get(connection, number)

    def claim_request(self, asked: Asked, now: datetime) -> bool:
        """Count one more try to answer it; False when somebody else was first."""
        with writing(self._engine) as connection:
            return requests.claim(connection, asked, now)

    def settle_request(self, asked: Asked, reply: str, *, settled: bool = True) -> None:
        """Note what came of the last try; not `settled`, it is tried again."""
        with writing(self._engine) as connection:
            requests.settle(connection, asked, reply, settled=settled)

    def confirm(
        self, number: int, newsletters: Collection[str], now: datetime, network: str, welcoming: Collection[str] = ()
    ) -> Subscriber | None:
        """Follow a request whose address has answered; see `subscribers.requests.confirm`."""
        with writing(self._engine) as connection:
            return requests.confirm(connection, number, newsletters, now, network, welcoming, self._journal)

    def still_wanted(self, newsletter: str, subscriber_id: int) -> bool:
        """Whether the subscriber is confirmed for the newsletter, and not suppressed, right now."""
        with self._engine.connect() as connection:
            return bool(still_wanted(connection, newsletter, [subscriber_id]))

    def suppress(self, address: str, reason: str, now: datetime, detail: str = "") -> bool:
        """Never mail this address again, known or not; False when it is suppressed already.

        The first reason stays, unless a complaint follows. Raises `AddressError`.
        """
        parsed = parse_address(address)
        with writing(self._engine) as connection:
            return suppressing.suppress(connection, parsed, reason, now, detail, self._journal)


def _one(connection: Connection, where: ColumnElement[bool], who: str, *, lock: bool = False) -> Subscriber:
    return _only(find_subscribers(connection, where, lock=lock), who)


def _only(found: Sequence[Subscriber], who: str) -> Subscriber:
    if not found:
        raise UnknownSubscriberError(f"no subscriber {who} is known; `newsletter subscribers add` adds one")
    return found[0]
