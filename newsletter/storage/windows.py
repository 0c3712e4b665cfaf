"""What a ledger asks of the table of deliveries for each window: what of a ledger costs something a message."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import DeliveryState, IssueState
from newsletter.storage.tables import Instant, delivery, issue_event

__all__ = [
    "AT_ONCE",
    "END",
    "IN_HAND",
    "Submitted",
    "due_again",
    "last_settled",
    "never_tried",
    "next_due",
    "ready",
    "settle",
    "submit",
]

END = 2**63 - 1
"""Behind the last subscriber of any audience."""

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""What a delivery waits for that came back unsent, or is queued again: nothing, whatever the clock of the next sender
shows."""

IN_HAND = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when a claimed delivery waits that waited before: nobody else finds it meanwhile. Where nobody else would,
because it stands before the last subscriber claimed, nothing is written down."""

Submitted = tuple[int, int | None, str]
"""Delivery, code and words of the server."""

Rows = Sequence[Any]
"""Rows of the columns of `_TAKEN`, in that order."""


def due_again(connection: Connection, pk: int, now: datetime, most: int) -> Rows:
    """Deliveries whose wave or next try is due, or that came back unsent, the longest due first."""
    return connection.execute(_AGAIN, {"issue": pk, "now": now, "most": most}).all()


def never_tried(connection: Connection, pk: int, reached: int, most: int) -> Rows:
    """The next deliveries behind a subscriber that wait for nothing, in the audience's order."""
    return connection.execute(_NEW, {"issue": pk, "reached": reached, "most": most}).all()


def last_settled(connection: Connection, pk: int, most: int) -> Rows:
    """State, code and words of what was settled last since the issue's last step into `sending`, the latest first."""
    begun = sa.select(sa.func.max(issue_event.c.at)).where(
        issue_event.c.issue_id == pk, issue_event.c.to_state == IssueState.SENDING
    )
    query = sa.select(delivery.c.id, delivery.c.state, delivery.c.code, delivery.c.reply).where(
        delivery.c.issue_id == pk,
        delivery.c.state.not_in((DeliveryState.QUEUED, DeliveryState.CANCELLED)),
        delivery.c.changed_at >= begun.scalar_subquery(),
    )
    return connection.execute(query.order_by(delivery.c.changed_at.desc(), delivery.c.id.desc()).limit(most)).all()


def ready(connection: Connection, pk: int, reached: int, now: datetime, most: int) -> int:
    """How many deliveries could be claimed, counted up to `most`."""
    asked = {"issue": pk, "now": now, "reached": reached, "most": most}
    number = sum(connection.scalar(sa.select(sa.func.count()).select_from(query), asked) or 0 for query in _READY)
    return min(number, most)


def next_due(connection: Connection, pk: int) -> datetime | None:
    """The first instant that a delivery of the issue waits for, or has waited for, or None."""
    waits = sa.select(sa.func.min(delivery.c.not_before)).where(
        delivery.c.issue_id == pk, delivery.c.not_before < IN_HAND
    )
    due: datetime | None = connection.scalar(waits)
    return due


def submit(connection: Connection, taken: Sequence[Submitted], now: datetime) -> None:
    """Write down what a server took: one statement a window, which is what nearly all outcomes are."""
    if taken:
        connection.execute(_SUBMIT[connection.dialect.name], {"rows": json.dumps(taken), "now": now})


def settle(connection: Connection, values: Sequence[dict[str, Any]]) -> None:
    """Write down any other outcome."""
    if values:
        connection.execute(_SETTLE, values)


_TAKEN = (
    delivery.c.id,
    delivery.c.subscriber_id,
    delivery.c.email,
    delivery.c.name,
    delivery.c.edition,
    delivery.c.revision,
    delivery.c.message_id,
    delivery.c.state,
    delivery.c.attempts,
    delivery.c.not_before,
)
_AGAIN = (
    sa.select(*_TAKEN)
    .where(
        delivery.c.issue_id == sa.bindparam("issue"),
        delivery.c.not_before <= sa.bindparam("now", type_=Instant),
        delivery.c.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)),
    )
    .order_by(delivery.c.not_before, delivery.c.id)
    .limit(sa.bindparam("most"))
)
_NEW = (
    sa.select(*_TAKEN)
    .where(
        delivery.c.issue_id == sa.bindparam("issue"),
        delivery.c.subscriber_id > sa.bindparam("reached"),
        delivery.c.state == DeliveryState.QUEUED,  # a rest that was given up is behind it, too
        delivery.c.not_before.is_(None),
    )
    .order_by(delivery.c.subscriber_id)
    .limit(sa.bindparam("most"))
)
_READY = tuple(query.with_only_columns(delivery.c.id).order_by(None).subquery() for query in (_AGAIN, _NEW))
# Who was erased while the message was in hand: the server's words may name them.
_ERASED = (delivery.c.email == "", "")
_SETTLE = (
    sa.update(delivery)
    .where(delivery.c.id == sa.bindparam("row"))
    .values(
        state=sa.bindparam("state_"),
        code=sa.bindparam("code_"),
        reply=sa.case(_ERASED, else_=sa.bindparam("reply_")),
        attempts=sa.bindparam("attempts_"),
        not_before=sa.bindparam("not_before_"),
        changed_at=sa.bindparam("at"),
    )
)


def _submit(values: sa.Subquery) -> sa.Update:
    return (
        sa.update(delivery)
        .where(delivery.c.id == values.c.row)
        .values(
            state=DeliveryState.SUBMITTED,
            code=values.c.code,
            reply=sa.case(_ERASED, else_=values.c.reply),
            attempts=delivery.c.attempts + 1,
            not_before=None,
            changed_at=sa.bindparam("now", type_=Instant),
        )
    )


def _from_sqlite() -> sa.Subquery:
    each = sa.func.json_each(sa.bindparam("rows", type_=sa.Text)).table_valued("value")
    cells = (sa.func.json_extract(each.c.value, f"$[{place}]").label(name) for place, name in enumerate(_CELLS))
    return sa.select(*cells).subquery()


def _from_postgresql() -> sa.Subquery:
    each = sa.func.json_array_elements(sa.cast(sa.bindparam("rows", type_=sa.Text), sa.JSON)).table_valued("value")
    cells = (
        sa.cast(each.c.value.op("->>")(place), kind).label(name) for place, (name, kind) in enumerate(_CELLS.items())
    )
    return sa.select(*cells).subquery()


# As values for each row of an `executemany` they cost 8 µs a message in SQLAlchemy, as one JSON text under 2.
_CELLS: Mapping[str, type[sa.types.TypeEngine[Any]]] = {"row": sa.BigInteger, "code": sa.Integer, "reply": sa.Text}
_SUBMIT = {"sqlite": _submit(_from_sqlite()), "postgresql": _submit(_from_postgresql())}
