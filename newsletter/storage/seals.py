"""Seals: which revision of an issue is approved, and its bytes as they were looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from newsletter.model import DRAFTED, IssueId, IssueState, RenderedEdition
from newsletter.storage import life
from newsletter.storage.corrections import tell_corrections
from newsletter.storage.database import Database
from newsletter.storage.editions import keep_editions, sealed_edition, sealed_editions
from newsletter.storage.keys import IS_NAMED, is_issue, named, no_such_issue
from newsletter.storage.tables import edition, issue

__all__ = ["Seals"]

_SEAL = sa.select(issue.c.approved_revision, issue.c.approved_at).where(IS_NAMED)


class Seals:
    """The seals of every issue; `plan` as for `Issues`."""

    def __init__(self, database: Database, plan: Callable[[], str] = lambda: "") -> None:
        self._database = database
        self._plan = plan

    def approve_first(self, issue_id: IssueId, revision: int, by: str, now: datetime) -> bool:
        """Write down the first of two approvals of one revision; False when it is not waiting for one."""
        plan = self._plan()
        with self._database.write() as connection:
            current = life.get(connection, issue_id)
            if current.state not in DRAFTED or current.first_approved_by:
                return False
            return life.move(
                connection,
                issue_id,
                (current.state,),
                current.state,
                now=now,
                who=by,
                why="one approval of two",
                plan=plan,
                if_revision=revision,
                first_approved_by=by,
            )

    def seal(
        self,
        issue_id: IssueId,
        revision: int,
        editions: Iterable[RenderedEdition],
        by: str,
        now: datetime,
        *,
        not_before: datetime | None = None,
    ) -> bool:
        """Approve one revision to the byte: its editions are kept as they are. False when the issue is not (or no
        longer) waiting for approval at that revision."""
        plan = self._plan()
        with self._database.write() as connection:
            moved = life.move(
                connection,
                issue_id,
                DRAFTED,
                IssueState.APPROVED,
                now=now,
                who=by,
                plan=plan,
                if_revision=revision,
                first_approved_by=None,
                approved_revision=revision,
                approved_by=by,
                approved_at=now,
                not_before=not_before,
            )
            if moved:
                keep_editions(connection, issue_id, revision, editions)
                tell_corrections(connection, issue_id)
            return moved

    def seal_of(self, issue_id: IssueId) -> tuple[int, datetime] | None:
        """The approved revision and the instant of its approval, by which its bytes can be known again; None without.

        Raises `NotFoundError`.
        """
        return self._database.standing(("seal", issue_id), lambda: self._sealed(issue_id))

    def _sealed(self, issue_id: IssueId) -> tuple[int, datetime] | None:
        with self._database.read() as connection:
            row = connection.execute(_SEAL, named(issue_id)).first()
        if row is None:
            raise no_such_issue(issue_id)
        return (row.approved_revision, row.approved_at) if row.approved_revision is not None else None

    def sealed_revision(self, issue_id: IssueId) -> int | None:
        """The latest revision of which bytes were sealed, though it may not be the approved one any more."""
        query = sa.select(sa.func.max(edition.c.revision)).join(issue, issue.c.id == edition.c.issue_id)
        with self._database.read() as connection:
            found: int | None = connection.scalar(query.where(*is_issue(issue_id)))
        return found

    def editions(self, issue_id: IssueId, revision: int) -> Mapping[str, RenderedEdition]:
        """The sealed editions of one revision, by key."""
        with self._database.read() as connection:
            return sealed_editions(connection, issue_id, revision)

    def edition(self, issue_id: IssueId, revision: int, key: str) -> RenderedEdition | None:
        """One sealed edition of that revision; None where it was not sealed."""
        with self._database.read() as connection:
            return sealed_edition(connection, issue_id, revision, key)
