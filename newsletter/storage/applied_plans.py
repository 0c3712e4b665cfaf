"""Applied schedules: the revision of schedule.yaml that every host of the desk follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.plan import PlanFiles
from newsletter.storage.database import Database
from newsletter.storage.tables import applied_plan

__all__ = ["AppliedPlan", "AppliedPlans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedPlan:
    """That a revision was applied, or (with no digest) that each host was given its own file back."""

    id: int
    digest: str
    at: datetime
    who: str


class AppliedPlans:
    """Every schedule that was applied; the latest is in force."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self) -> AppliedPlan | None:
        """What was last applied or released; None where nothing ever was."""
        found = self.list(1)
        return found[0] if found else None

    def list(self, limit: int | None = None) -> Sequence[AppliedPlan]:
        """What was applied and released, latest first."""
        columns = (applied_plan.c.id, applied_plan.c.digest, applied_plan.c.at, applied_plan.c.who)
        query = sa.select(*columns).order_by(applied_plan.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [AppliedPlan(**row._mapping) for row in connection.execute(query)]

    def files(self, applied: AppliedPlan) -> PlanFiles:
        """The files of an applied revision."""
        query = sa.select(applied_plan.c.document).where(applied_plan.c.id == applied.id)
        with self._database.read() as connection:
            return PlanFiles.parse(connection.execute(query).scalar_one())

    def add(self, files: PlanFiles | None, now: datetime, who: str) -> AppliedPlan:
        """Have every host follow these files; none give each its own back."""
        digest, document = (files.digest, files.document) if files else ("", None)
        values = {"digest": digest, "document": document, "at": now, "who": who}
        with self._database.write() as connection:
            pk = connection.execute(sa.insert(applied_plan).values(values).returning(applied_plan.c.id)).scalar_one()
        return AppliedPlan(id=pk, digest=digest, at=now, who=who)

    def kept(self) -> bool:
        """Whether this database has room for them: one of before this version, or none at all, has not."""
        return self._database.exists and sa.inspect(self._database.engine).has_table(applied_plan.name)
