"""How subscriptions came and went, day by day, from everybody's history. Who was erased since is not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Date, Engine, TableValuedAlias, and_, case, func, or_, select

from subscribers.model import Status
from subscribers.tables import subscriber_event

__all__ = ["Change", "Ending", "changes", "endings"]

_EVENT = subscriber_event.c


@dataclass(frozen=True, slots=True)
class Change:
    """So many subscriptions to a newsletter were confirmed, or ended, on one day (UTC)."""

    day: date
    newsletter: str
    confirmed: int
    ended: int


@dataclass(frozen=True, slots=True)
class Ending:
    """One subscription that ended, and the issue whose link ended it; None where no such link did."""

    subscriber: int
    newsletter: str
    issue: str | None
    at: datetime


def changes(engine: Engine, start: datetime, end: datetime) -> Sequence[Change]:
    """What changed from `start` until before `end`, by day and newsletter, earliest first."""
    came = _EVENT.detail["status"].as_string() == Status.CONFIRMED
    came = or_(_EVENT.what == "confirmed", and_(_EVENT.what == "subscribed", came))
    left = _EVENT.what == "unsubscribed"
    with engine.connect() as connection:
        names, day = _names(connection), _day(connection)
        query = (
            select(
                day.label("day"),
                names.c.value.label("newsletter"),
                func.sum(case((left, 0), else_=1)).label("confirmed"),
                func.sum(case((left, 1), else_=0)).label("ended"),
            )
            .select_from(subscriber_event, names)
            .where(_EVENT.at >= start, _EVENT.at < end, or_(came, left))
            .group_by(day, names.c.value)
            .order_by(day, names.c.value)
        )
        return [Change(row.day, row.newsletter, row.confirmed, row.ended) for row in connection.execute(query)]


def endings(engine: Engine, start: datetime, end: datetime) -> Sequence[Ending]:
    """Every subscription that ended from `start` until before `end`, in that order."""
    query = (
        select(_EVENT.subscriber_id, _EVENT.detail, _EVENT.at)
        .where(_EVENT.at >= start, _EVENT.at < end, _EVENT.what == "unsubscribed")
        .order_by(_EVENT.at, _EVENT.id)
    )
    with engine.connect() as connection:
        return [
            Ending(row.subscriber_id, name, row.detail.get("issue"), row.at)
            for row in connection.execute(query)
            for name in row.detail["newsletters"]
        ]


def _names(connection: Connection) -> TableValuedAlias:
    """The newsletters that a line of history speaks of, each as a row."""
    if connection.dialect.name == "postgresql":
        each = func.json_array_elements_text(_EVENT.detail["newsletters"])
    else:
        each = func.json_each(_EVENT.detail, "$.newsletters")
    return each.table_valued("value", joins_implicitly=True)


def _day(connection: Connection) -> ColumnElement[date]:
    at = func.timezone("UTC", _EVENT.at) if connection.dialect.name == "postgresql" else _EVENT.at
    return func.date(at, type_=Date)
