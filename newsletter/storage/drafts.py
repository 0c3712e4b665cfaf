"""What was asked of the endpoint that drafts notes, and what came of it: the cache, the budget and the breaker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.storage.database import Database
from newsletter.storage.tables import draft

__all__ = ["Drafts"]


class Drafts:
    """Every draft that was asked for, as a JSON document each; whoever asks knows what is in it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key: str, story_id: str, now: datetime) -> int:
        """Remember that one is asked for, before it is: what a crash leaves counts too. Returns its number."""
        with self._database.write() as connection:
            asked = sa.insert(draft).values(key=key, story=story_id, at=now, document="").returning(draft.c.id)
            return int(connection.execute(asked).scalar_one())

    def end(self, number: int, document: str) -> None:
        """Remember what came of it."""
        with self._database.write() as connection:
            connection.execute(sa.update(draft).where(draft.c.id == number).values(document=document))

    def of(self, key: str) -> Sequence[str]:
        """The outcomes under that key, latest first."""
        known = sa.select(draft.c.document).where(draft.c.key == key, draft.c.document != "")
        query = known.order_by(draft.c.id.desc())
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def since(self, instant: datetime) -> Sequence[tuple[str, str]]:
        """Key and outcome of each that was asked for since then, earliest first."""
        known = sa.select(draft.c.key, draft.c.document).where(draft.c.at >= instant, draft.c.document != "")
        with self._database.read() as connection:
            return [(row.key, row.document) for row in connection.execute(known.order_by(draft.c.id))]

    def count_since(self, instant: datetime) -> int:
        """How many were asked for since then."""
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).where(draft.c.at >= instant)) or 0)

    def latest(self, limit: int) -> Sequence[tuple[str, datetime]]:
        """The latest outcomes with their times, earliest first."""
        known = sa.select(draft.c.document, draft.c.at).where(draft.c.document != "")
        query = known.order_by(draft.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [(row.document, row.at) for row in connection.execute(query)][::-1]
