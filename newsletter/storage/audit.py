"""The audit log: who did what, to what, when, from where. Lines are added and read; the database refuses all else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.storage.database import Database
from newsletter.storage.tables import audit

__all__ = ["Audit", "AuditLine"]

_LONGEST = {"who": 320, "what": 400, "client": 64, "remark": 400}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line. `kind` is the name of the web action, for commands that of the same act; `client` is a network
    address, empty for commands. No secret, and no subscriber's address, stands in any of it."""

    at: datetime
    kind: str
    who: str
    what: str = ""
    client: str = ""
    remark: str = ""
    account_id: int | None = None


class Audit:
    """The log of one desk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, line: AuditLine) -> None:
        """Add a line; what is too long is cut."""
        short = {name: getattr(line, name)[:longest] for name, longest in _LONGEST.items()}
        row = {"at": line.at, "kind": line.kind, "account_id": line.account_id, **short}
        with self._database.write() as connection:
            connection.execute(sa.insert(audit).values(row))

    def lines(self, *, who: str = "", kind: str = "", start: int = 0, limit: int = 100) -> Sequence[AuditLine]:
        """Up to `limit` lines from position `start`, the latest first; of one person, of one kind, or of all."""
        query = sa.select(audit).order_by(audit.c.id.desc()).offset(start).limit(limit)
        query = query.where(audit.c.who == who) if who else query
        query = query.where(audit.c.kind == kind) if kind else query
        with self._database.read() as connection:
            return [
                AuditLine(
                    at=row.at,
                    kind=row.kind,
                    who=row.who,
                    what=row.what,
                    client=row.client,
                    remark=row.remark,
                    account_id=row.account_id,
                )
                for row in connection.execute(query)
            ]

    def people(self) -> Sequence[str]:
        """Everybody the log speaks of."""
        return self._different(audit.c.who)

    def kinds(self) -> Sequence[str]:
        """Every kind of act in it."""
        return self._different(audit.c.kind)

    def _different(self, column: sa.Column[str]) -> Sequence[str]:
        with self._database.read() as connection:
            return list(connection.scalars(sa.select(column).distinct().order_by(column)))
