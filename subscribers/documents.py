"""A subscriber as JSON: what `newsletter subscribers show --json` and the HTTP API show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from subscribers import suppressing
from subscribers.addresses import Address
from subscribers.model import Preferences, Subscriber
from subscribers.tables import subscriber_event

__all__ = ["chosen", "history", "row", "suppressed_line", "whole"]


def history(connection: Connection, subscriber_id: int) -> list[dict[str, object]]:
    """What happened to a subscriber, in order."""
    lines = (
        select(subscriber_event)
        .where(subscriber_event.c.subscriber_id == subscriber_id)
        .order_by(subscriber_event.c.id)
    )
    return [{"at": row.at.isoformat(), "what": row.what, **row.detail} for row in connection.execute(lines)]


def suppressed_line(connection: Connection, address: Address) -> dict[str, object] | None:
    """The line of history that a suppression makes, or None for an address that may be mailed."""
    found = suppressing.line_of(connection, address.key)
    if found is None:
        return None
    at, reason, detail = found
    return {"at": at.isoformat(), "what": "suppressed", "reason": reason, "detail": detail}


def whole(held: Subscriber, history: Sequence[Mapping[str, object]], *, suppressed: bool) -> dict[str, object]:
    """A subscriber with their history."""
    return row(held, suppressed=suppressed) | {"history": list(history)}


def row(held: Subscriber, *, suppressed: bool) -> dict[str, object]:
    """A subscriber without it."""
    return {
        "id": held.id or None,
        "email": held.email,
        "name": held.name,
        "status": "suppressed" if suppressed else "active",
        "subscriptions": {name: str(kept.status) for name, kept in held.subscriptions.items()},
        **chosen(held.preferences),
        "attributes": dict(held.attributes),
    }


def chosen(preferences: Preferences) -> dict[str, object]:
    """What a subscriber chose."""
    paused = preferences.paused_until
    return {
        "countries": None if preferences.countries is None else list(preferences.countries),
        "frequency": str(preferences.frequency),
        "language": preferences.language,
        "timezone": preferences.timezone,
        "paused_until": paused.isoformat() if paused else None,
    }
