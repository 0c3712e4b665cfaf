"""The course of a send: how many outcomes of each kind came in each minute, and from whose mail servers.

A delivery's row keeps its last outcome alone, and a million of them are not counted for a screen. So every turn of a
sender adds up here what it settled, in its own transaction: a few rows for a window of 500.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from newsletter.model import DeliveryState, IssueId
from newsletter.storage.database import Database
from newsletter.storage.keys import issue_pk
from newsletter.storage.tables import outcome_tally

__all__ = ["OUTCOMES", "Came", "Courses", "Tally", "came"]

OUTCOMES = frozenset(
    {
        DeliveryState.SUBMITTED,
        DeliveryState.DEFERRED,
        DeliveryState.REJECTED,
        DeliveryState.EXPIRED,
        DeliveryState.FAILED,
        DeliveryState.UNKNOWN,
    }
)
"""What counts as one; a message that came back unsent, or is not wanted any more, has none."""

Came = Counter[tuple[DeliveryState, str]]
"""How many outcomes of each kind came from each provider's readers."""


@dataclass(frozen=True, slots=True)
class Tally:
    """So many outcomes of one kind: in the minute that begins `at`, or on the day that does."""

    at: datetime
    state: DeliveryState
    number: int


class Courses:
    """The courses of every issue's send."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, issue_id: IssueId) -> Sequence[Tally]:
        """The outcomes of each minute in which there were any, earliest first; none of what was sent before they were
        counted."""
        query = sa.select(_ROW.c.minute, _ROW.c.state, sa.func.sum(_ROW.c.number).label("number"))
        with self._database.read() as connection:
            mine = query.where(_ROW.c.issue_id == issue_pk(connection, issue_id))
            rows = connection.execute(mine.group_by(_ROW.c.minute, _ROW.c.state).order_by(_ROW.c.minute))
            return [Tally(row.minute, DeliveryState(row.state), int(row.number)) for row in rows]

    def by_provider(self, issue_id: IssueId) -> Mapping[str, Mapping[DeliveryState, int]]:
        """How many outcomes of each kind came from each provider's readers; a message deferred twice counts twice."""
        query = sa.select(_ROW.c.provider, _ROW.c.state, sa.func.sum(_ROW.c.number).label("number"))
        found: dict[str, dict[DeliveryState, int]] = {}
        with self._database.read() as connection:
            mine = query.where(_ROW.c.issue_id == issue_pk(connection, issue_id))
            for row in connection.execute(mine.group_by(_ROW.c.provider, _ROW.c.state)):
                found.setdefault(row.provider, {})[DeliveryState(row.state)] = int(row.number)
        return found

    def since(self, start: datetime, states: Sequence[DeliveryState]) -> Sequence[Tally]:
        """The outcomes of those kinds in each minute from `start` on, of all issues together, earliest first."""
        query = (
            sa.select(_ROW.c.minute, _ROW.c.state, sa.func.sum(_ROW.c.number).label("number"))
            .where(_ROW.c.minute >= start, _ROW.c.state.in_(states))
            .group_by(_ROW.c.minute, _ROW.c.state)
            .order_by(_ROW.c.minute)
        )
        with self._database.read() as connection:
            return [Tally(row.minute, DeliveryState(row.state), int(row.number)) for row in connection.execute(query)]


def came(connection: Connection, pk: int, outcomes: Came, now: datetime) -> None:
    """Count on, within the caller's transaction, which holds the issue's progress: nobody else counts meanwhile."""
    if outcomes:
        minute = now.replace(second=0, microsecond=0)
        rows = [
            {"issue_id": pk, "minute": minute, "state": state, "provider": provider, "number": number}
            for (state, provider), number in outcomes.items()
        ]
        connection.execute(_CAME[connection.dialect.name], rows)


def _added(insert: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    number = outcome_tally.c.number + insert.excluded.number
    return insert.on_conflict_do_update(index_elements=list(outcome_tally.primary_key), set_={"number": number})


_ROW = outcome_tally
_CAME = {
    "sqlite": _added(sqlite.insert(outcome_tally)),
    "postgresql": _added(postgresql.insert(outcome_tally)),
}
