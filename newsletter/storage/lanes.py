"""Lanes: how fast each mail server is sent to, shared by all senders."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from newsletter.model import Lane
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.tables import lane

__all__ = ["LaneRows"]


class LaneRows:
    """The `Lanes` of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> Lane | None:
        """The lane of that mail server, or None when nobody ever waited for it."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(*_VALUES).where(lane.c.name == name)).first()
        return Lane(**row._mapping) if row else None

    def change(self, name: str, new: Lane, step: Callable[[Lane], Lane]) -> Lane:
        """What `step` makes of the lane, or of `new` where there is none."""
        with self._database.write() as connection:
            connection.execute(insert_or_ignore(connection, lane).values(name=name, **_columns(new)))
            row = connection.execute(sa.select(*_VALUES).where(lane.c.name == name).with_for_update()).one()
            before = Lane(**row._mapping)
            after = step(before)
            if after != before:
                connection.execute(sa.update(lane).where(lane.c.name == name).values(_columns(after)))
        return after

    def forget(self, name: str) -> None:
        """Throw away a lane that nobody will go by again."""
        with self._database.write() as connection:
            connection.execute(sa.delete(lane).where(lane.c.name == name))


_VALUES = (
    lane.c.free_at,
    lane.c.rate,
    lane.c.slowed_from,
    lane.c.changed_at,
    lane.c.urgent,
    lane.c.urgent_at,
)


def _columns(value: Lane) -> dict[str, object]:
    return {column.name: getattr(value, column.name) for column in _VALUES}
