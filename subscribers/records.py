"""Reading and writing subscribers: rows become values here, and values rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from subscribers.addresses import Address
from subscribers.database import conflict_insert
from subscribers.journal import digest_of
from subscribers.model import Event, Frequency, Preferences, Status, Subscriber, Subscription
from subscribers.tables import erasure, subscriber, subscriber_event, subscription, suppression

__all__ = ["Listener", "find_subscribers", "save", "suppressed_keys", "write_events"]

Listener = Callable[[Connection, Sequence[tuple[int, Event]]], None]
"""Called with every line of history, by the number of whom it is of, within the transaction that writes it. Whoever
opens this house gives it as an option of the engine, so that no way to write passes it by."""

# All but `created_at` and `changed_at`: turning text into datetimes is what reading costs.
_READ = [column for column in subscriber.c if column.name != "created_at"]
_READ_SUBSCRIPTION = [
    subscription.c[name] for name in ("subscriber_id", "newsletter", "status", "consent_at", "consent_source")
]


def find_subscribers(
    connection: Connection, where: ColumnElement[bool], *, limit: int | None = None, lock: bool = False
) -> list[Subscriber]:
    """Every subscriber that `where` chooses, in the order of their numbers, with all their subscriptions.

    `lock` keeps their rows from changing until the transaction ends (PostgreSQL; SQLite has one writer).
    """
    query = select(*_READ).where(where).order_by(subscriber.c.id).limit(limit)
    rows = connection.execute(query.with_for_update() if lock else query).all()
    held: dict[int, dict[str, Subscription]] = {row.id: {} for row in rows}
    asked = select(*_READ_SUBSCRIPTION).where(subscription.c.subscriber_id.in_(held))
    for number, newsletter, status, *evidence in connection.execute(asked.order_by(subscription.c.newsletter)):
        held[number][newsletter] = Subscription(Status(status), *evidence)
    return [_subscriber(row, held[row.id]) for row in rows]


def _subscriber(row: Row[Any], subscriptions: Mapping[str, Subscription]) -> Subscriber:
    return Subscriber(
        id=row.id,
        address=Address(row.email, row.address_key),
        name=row.name,
        preferences=Preferences(
            countries=None if row.countries is None else tuple(row.countries),
            frequency=Frequency(row.frequency),
            language=row.language,
            timezone=row.timezone,
            paused_until=row.paused_until,
        ),
        decided_at=row.decided_at,
        attributes=row.attributes,
        subscriptions=subscriptions,
    )


def suppressed_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Which of these address keys must not be mailed, also by erasures, which know no address."""
    found = set(connection.scalars(select(suppression.c.address_key).where(suppression.c.address_key.in_(keys))))
    for salt in connection.scalars(select(erasure.c.salt).distinct()).all():
        named = {digest_of(key, salt): key for key in keys}
        erased = select(erasure.c.digest).where(erasure.c.digest.in_(named))
        found |= {named[digest] for digest in connection.scalars(erased)}
    return found


def save(
    connection: Connection,
    before: Mapping[str, Subscriber],
    after: Mapping[str, Subscriber],
    events: Sequence[tuple[str, Event]],
    now: datetime,
    *,
    revive: bool = False,
) -> None:
    """Write what differs between `before` and `after`, by address key, and the lines of history.

    Whoever unsubscribed, now or before, stays unsubscribed, unless the person themselves came back (`revive`; then
    `before` was read under a lock).
    """
    ids = {key: held.id for key, held in before.items()}
    ids |= _insert(connection, [after[key] for key in sorted(after.keys() - before.keys())], now)
    changed = [new for key, new in after.items() if key in before and _columns(new) != _columns(before[key])]
    _update(connection, changed)
    _write_subscriptions(
        connection,
        [
            {"subscriber_id": ids[key], "newsletter": name, "changed_at": now, **_evidence(wanted)}
            for key, new in after.items()
            for name, wanted in new.subscriptions.items()
            if key not in before or before[key].subscriptions.get(name) != wanted
        ],
        revive=revive,
    )
    write_events(connection, [(ids[key], event) for key, event in events])


def _insert(connection: Connection, fresh: Sequence[Subscriber], now: datetime) -> dict[str, int]:
    """Insert subscribers and return the number of each address key, also where somebody was faster."""
    if not fresh:
        return {}
    rows = [
        {
            "email": new.address.email,
            "address_key": new.address.key,
            "created_at": now,
            **_columns(new),
        }
        for new in fresh
    ]
    connection.execute(conflict_insert(connection, subscriber).on_conflict_do_nothing(), rows)
    keys = [new.address.key for new in fresh]
    found = select(subscriber.c.address_key, subscriber.c.id).where(subscriber.c.address_key.in_(keys))
    return {row.address_key: row.id for row in connection.execute(found)}


def _update(connection: Connection, changed: Sequence[Subscriber]) -> None:
    if changed:
        rows = [{"number": new.id, **_columns(new)} for new in changed]
        connection.execute(update(subscriber).where(subscriber.c.id == bindparam("number")), rows)


def _write_subscriptions(connection: Connection, rows: Sequence[Mapping[str, object]], *, revive: bool) -> None:
    if not rows:
        return
    statement = conflict_insert(connection, subscription)
    # A file changes one thing about a subscription that is there: from pending to confirmed. Since `before` was read it
    # may have come, or been confirmed by the person.
    first = (subscription.c.status == Status.PENDING) & (statement.excluded.status == Status.CONFIRMED)
    names = ("status", "consent_at", "consent_source", "changed_at")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["newsletter", "subscriber_id"],
            set_={name: statement.excluded[name] for name in names},
            where=None if revive else first,
        ),
        rows,
    )


def write_events(connection: Connection, events: Iterable[tuple[int, Event]]) -> None:
    """Append lines to the histories of subscribers, by number; whoever listens hears of them in this transaction."""
    written = list(events)
    rows = [
        {"subscriber_id": number, "at": event.at, "what": event.what, "detail": event.detail}
        for number, event in written
    ]
    if rows:
        connection.execute(subscriber_event.insert(), rows)
        tell: Listener | None = connection.get_execution_options().get("listener")
        if tell is not None:
            tell(connection, written)


def _columns(held: Subscriber) -> dict[str, object]:
    chosen = held.preferences
    return {
        "name": held.name,
        "countries": None if chosen.countries is None else list(chosen.countries),
        "frequency": str(chosen.frequency),
        "language": chosen.language,
        "timezone": chosen.timezone,
        "paused_until": chosen.paused_until,
        "decided_at": held.decided_at,
        "attributes": dict(held.attributes),
    }


def _evidence(wanted: Subscription) -> dict[str, object]:
    return {
        "status": str(wanted.status),
        "consent_at": wanted.consent_at,
        "consent_source": wanted.consent_source,
    }
