"""Overlays: what people decided about slots beside schedule.yaml, kept also when it is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.plan import Overlay, OverlayKind
from newsletter.storage.database import Database
from newsletter.storage.tables import overlay

__all__ = ["Overlays"]

A_MONTH = timedelta(days=31)


class Overlays:
    """Every overlay of the desk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, made: Overlay) -> Overlay:
        """Keep a new one; a move ends the move of the same issue that it replaces. Returns it with its id."""
        values = {
            "newsletter": made.newsletter,
            "kind": made.kind,
            "first": made.first,
            "last": made.last,
            "number": made.number,
            "due_at": made.due_at,
            "who": made.who,
            "why": made.why,
            "made_at": made.made_at,
        }
        with self._database.write() as connection:
            if made.kind is OverlayKind.MOVE:
                same = [overlay.c[name] == values[name] for name in ("newsletter", "kind", "first", "number")]
                ended = sa.update(overlay).where(*same, overlay.c.ended_at.is_(None))
                connection.execute(ended.values(ended_at=made.made_at, ended_by=made.who))
            pk = connection.execute(sa.insert(overlay).values(values).returning(overlay.c.id)).scalar_one()
        return replace(made, id=pk)

    def end(self, pk: int, now: datetime, who: str) -> bool:
        """Take one back; False when somebody has done so already."""
        ended = sa.update(overlay).where(overlay.c.id == pk, overlay.c.ended_at.is_(None))
        with self._database.write() as connection:
            return connection.execute(ended.values(ended_at=now, ended_by=who)).rowcount == 1

    def in_force(self, today: date) -> Mapping[str, Sequence[Overlay]]:
        """By newsletter, earliest first: those that say anything about dates from a month ago on.

        Among them pauses that ended within that month: they hold for what was due before their end.
        """
        query = (
            sa.select(overlay)
            .where(
                sa.or_(overlay.c.last.is_(None), overlay.c.last >= today - A_MONTH),
                sa.or_(overlay.c.ended_at.is_(None), overlay.c.kind == OverlayKind.PAUSE),
            )
            .order_by(overlay.c.id)
        )
        found: dict[str, list[Overlay]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                each = _overlay(row)
                if each.ended_at is None or each.ended_at.date() >= today - A_MONTH:
                    found.setdefault(each.newsletter, []).append(each)
        return found

    def list(self, newsletter: str | None = None, limit: int | None = None) -> Sequence[Overlay]:
        """Every one, also what was taken back, latest first."""
        query = sa.select(overlay).order_by(overlay.c.id.desc()).limit(limit)
        if newsletter is not None:
            query = query.where(overlay.c.newsletter == newsletter)
        with self._database.read() as connection:
            return [_overlay(row) for row in connection.execute(query)]


def _overlay(row: sa.Row[Any]) -> Overlay:
    return Overlay(**{**row._mapping, "kind": OverlayKind(row.kind)})
