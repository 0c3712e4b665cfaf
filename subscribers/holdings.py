"""All that this house holds of one person, as one document."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, select

from subscribers.model import Subscriber
from subscribers.suppressing import line_of
from subscribers.tables import address_change, bounce, bounce_pause, request, subscriber, subscriber_event, subscription

__all__ = ["held_of"]

# By what name a row stands in the document, and which of its columns say nothing of the person.
_INNER = frozenset({"id", "subscriber_id", "address_key", "digest", "delivery", "settled", "tries", "tried_at"})


def held_of(connection: Connection, held: Subscriber) -> dict[str, Any]:
    """The address and what was chosen; subscriptions with their evidence; history, requests, bounces, suppression."""
    line = line_of(connection, held.address.key)
    (own,) = _rows(connection, subscriber, subscriber.c.id == held.id)
    return {
        **own,
        "subscriptions": _rows(connection, subscription, subscription.c.subscriber_id == held.id),
        "suppressed": {"at": line[0], "reason": line[1], "detail": line[2]} if line else None,
        "history": [
            {"at": row.pop("at"), "what": row.pop("what"), **row["detail"]}
            for row in _rows(connection, subscriber_event, subscriber_event.c.subscriber_id == held.id)
        ],
        "requests": _rows(connection, request, request.c.address_key == held.address.key),
        "address_changes": _rows(connection, address_change, address_change.c.subscriber_id == held.id),
        "bounces": _rows(connection, bounce, bounce.c.subscriber_id == held.id),
        "pauses_after_bounces": _rows(connection, bounce_pause, bounce_pause.c.subscriber_id == held.id),
    }


def _rows(connection: Connection, table: Table, whose: Any) -> list[dict[str, Any]]:
    order = [table.c.id] if "id" in table.c else list(table.primary_key.columns)
    query = select(*(column for column in table.c if column.name not in _INNER)).where(whose).order_by(*order)
    return [dict(row._mapping) for row in connection.execute(query)]
