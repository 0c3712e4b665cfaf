"""The door of this house: what a command or a screen may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Engine, exists, func, select, update

from subscribers import exporting, importing
from subscribers.addresses import Address, parse_address
from subscribers.database import conflict_insert, upgrade, writing
from subscribers.errors import UnknownSubscriberError
from subscribers.importing import ImportReport
from subscribers.model import Event, Fate, Preferences, SignUp, Status, Subscriber
from subscribers.preferences import checked_preferences
from subscribers.records import find_subscribers, save, write_events
from subscribers.signups import Terms
from subscribers.tables import subscriber, subscriber_event, subscription, suppression

__all__ = ["Subscribers"]


class Subscribers:
    """Everybody who asked to hear from us, in the database of `engine`.

    Every verb that changes something has committed it when it returns, and may be repeated. Instants are aware.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

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
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> ImportReport:
        """Take a CSV file in; see `subscribers.importing.import_file`."""
        return importing.import_file(self._engine, path, terms, now, dry_run=dry_run, progress=progress)

    def export_file(
        self,
        path: Path,
        *,
        safe: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> int:
        """Write a CSV file and return its rows; see `subscribers.exporting.export_file`."""
        return exporting.export_file(self._engine, path, safe=safe, progress=progress)

    def get(self, subscriber_id: int) -> Subscriber:
        """The subscriber of that number; raises `UnknownSubscriberError`."""
        with self._engine.connect() as connection:
            return _one(connection, subscriber.c.id == subscriber_id, f"number {subscriber_id}")

    def find(self, address: str) -> Subscriber:
        """The subscriber with that address; raises `AddressError` or `UnknownSubscriberError`."""
        parsed = parse_address(address)
        with self._engine.connect() as connection:
            return _one(connection, subscriber.c.address_key == parsed.key, parsed.email)

    def page(self, after: int = 0, limit: int = 50) -> list[Subscriber]:
        """Up to `limit` subscribers whose numbers follow `after`."""
        with self._engine.connect() as connection:
            return find_subscribers(connection, subscriber.c.id > after, limit=limit)

    def look(
        self,
        *,
        begins: str = "",
        newsletter: str | None = None,
        status: str | None = None,
        below: int | None = None,
        limit: int = 50,
    ) -> list[Subscriber]:
        """Up to `limit` subscribers, the latest first, numbered `below` that where it is given.

        Only those whose address `begins` so, and who have a subscription to `newsletter`, of that `status`. A beginning
        is found by an index; a part of an address would be looked for in a million.
        """
        key = begins.strip().lower()
        chosen = [subscriber.c.id < below] if below is not None else []
        if key:
            chosen += [subscriber.c.address_key >= key, subscriber.c.address_key < key + "\U0010ffff"]
        if newsletter is not None or status is not None:
            held = select(subscription.c.subscriber_id).where(subscription.c.subscriber_id == subscriber.c.id)
            held = held if newsletter is None else held.where(subscription.c.newsletter == newsletter)
            chosen.append(exists(held if status is None else held.where(subscription.c.status == status)))
        query = select(subscriber.c.id).where(*chosen).order_by(subscriber.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            numbers = connection.scalars(query).all()
            return find_subscribers(connection, subscriber.c.id.in_(numbers))[::-1]

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

    def show(self, address: str) -> dict[str, object]:
        """The document of `newsletter subscribers show --json`; raises as `find` does.

        An address that is only suppressed is shown too.
        """
        parsed = parse_address(address)
        with self._engine.connect() as connection:
            line = _suppressed_line(connection, parsed)
            found = find_subscribers(connection, subscriber.c.address_key == parsed.key)
            if line and not found:
                return _document(Subscriber(address=parsed), [line], suppressed=True)
            held = _only(found, parsed.email)
            return _document(held, _history(connection, held.id), suppressed=line is not None)

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
        """Replace what that subscriber chose, and return whether it differs.

        From now on no file changes it. Raises `PreferenceError` or `UnknownSubscriberError`.
        """
        chosen = checked_preferences(preferences, regions)
        with writing(self._engine) as connection:
            held = _one(connection, subscriber.c.id == subscriber_id, f"number {subscriber_id}", lock=True)
            if chosen == held.preferences and held.decided_at:
                return False
            after = replace(held, preferences=chosen, decided_at=now)
            event = Event(now, "preferences", {**_chosen(chosen), "how": how})
            key = held.address.key
            save(connection, {key: held}, {key: after}, [(key, event)], now)
            return chosen != held.preferences

    def unsubscribe(
        self, address: str, newsletter: str | None, now: datetime, how: str = "asked us"
    ) -> tuple[str, ...]:
        """End one subscription, or with None all of them; the newsletters that ended with this call.

        Empty when there was nothing left to end. Raises `AddressError` or `UnknownSubscriberError`.
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
                event = Event(now, "unsubscribed", {"newsletters": names, "how": how})
                write_events(connection, [(held.id, event)])
            return names

    def suppress(self, address: str, reason: str, now: datetime, detail: str = "") -> bool:
        """Never mail this address again, known or not; False when it is suppressed already.

        The first reason stays. Raises `AddressError`.
        """
        parsed = parse_address(address)
        with writing(self._engine) as connection:
            # The row is locked before the suppression is written: `still_wanted` waits for it there.
            known = find_subscribers(connection, subscriber.c.address_key == parsed.key, lock=True)
            statement = conflict_insert(connection, suppression).on_conflict_do_nothing()
            values = {"address_key": parsed.key, "reason": reason, "detail": detail, "at": now}
            # RETURNING tells: an INSERT's rowcount is -1 on PostgreSQL.
            if connection.scalar(statement.values(values).returning(suppression.c.address_key)) is None:
                return False
            event = Event(now, "suppressed", {"reason": reason, "detail": detail})
            write_events(connection, [(held.id, event) for held in known])
            return True


def _one(connection: Connection, where: ColumnElement[bool], who: str, *, lock: bool = False) -> Subscriber:
    return _only(find_subscribers(connection, where, lock=lock), who)


def _only(found: Sequence[Subscriber], who: str) -> Subscriber:
    if not found:
        raise UnknownSubscriberError(f"no subscriber {who} is known; `newsletter subscribers add` adds one")
    return found[0]


def _history(connection: Connection, subscriber_id: int) -> list[dict[str, object]]:
    lines = (
        select(subscriber_event)
        .where(subscriber_event.c.subscriber_id == subscriber_id)
        .order_by(subscriber_event.c.id)
    )
    return [{"at": row.at.isoformat(), "what": row.what, **row.detail} for row in connection.execute(lines)]


def _suppressed_line(connection: Connection, address: Address) -> dict[str, object] | None:
    """The line of history that a suppression makes, or None for an address that may be mailed."""
    row = connection.execute(select(suppression).where(suppression.c.address_key == address.key)).one_or_none()
    if row is None:
        return None
    return {"at": row.at.isoformat(), "what": "suppressed", "reason": row.reason, "detail": row.detail}


def _document(held: Subscriber, history: Sequence[Mapping[str, object]], *, suppressed: bool) -> dict[str, object]:
    return {
        "email": held.email,
        "name": held.name,
        "status": "suppressed" if suppressed else "active",
        "subscriptions": {name: str(kept.status) for name, kept in held.subscriptions.items()},
        **_chosen(held.preferences),
        "attributes": dict(held.attributes),
        "history": list(history),
    }


def _chosen(preferences: Preferences) -> dict[str, object]:
    paused = preferences.paused_until
    return {
        "countries": None if preferences.countries is None else list(preferences.countries),
        "frequency": str(preferences.frequency),
        "language": preferences.language,
        "timezone": preferences.timezone,
        "paused_until": paused.isoformat() if paused else None,
    }
