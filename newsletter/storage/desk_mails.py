"""What the desk's own people are told of issues: noted once, then carried until it is taken, a bounded number of
times."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.model import IssueId, IssueState
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.keys import is_issue, issue_pk
from newsletter.storage.tables import desk_mail, issue, issue_event

__all__ = ["Change", "DeskMailRow", "DeskMails"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an issue's state, with the number that tells it from every other one."""

    number: int
    at: datetime
    who: str
    before: IssueState | None
    after: IssueState
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskMailRow:
    """One notice of an issue to one address; `document` is JSON of who noted it. `at` is its last try."""

    issue: IssueId
    kind: str
    address: str
    at: datetime
    tries: int
    settled: bool
    document: str


class DeskMails:
    """Every notice of the desk, unique on (issue, kind, address)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def changes(self, issues: Collection[IssueId]) -> Mapping[IssueId, Sequence[Change]]:
        """Every change of state of each of the issues, in order; what left the state as it was is left out."""
        found: dict[IssueId, list[Change]] = {each: [] for each in issues}
        query = (
            sa.select(issue_event, issue.c.newsletter, issue.c.local_date, issue.c.number)
            .join(issue, issue.c.id == issue_event.c.issue_id)
            .where(
                issue.c.newsletter.in_({each.newsletter for each in issues}),
                issue.c.local_date.in_({each.date for each in issues}),
                sa.or_(issue_event.c.from_state.is_(None), issue_event.c.from_state != issue_event.c.to_state),
            )
            .order_by(issue_event.c.id)
        )
        with self._database.read() as connection:
            for row in connection.execute(query):
                before = IssueState(row.from_state) if row.from_state else None
                change = Change(row.id, row.at, row.who, before, IssueState(row.to_state), row.why)
                found.get(IssueId(row.newsletter, row.local_date, row.number), []).append(change)
        return found

    def of(self, issue_id: IssueId) -> Sequence[DeskMailRow]:
        """What was noted of one issue, the oldest first."""
        return self._rows(*is_issue(issue_id))

    def kinds(self, issues: Collection[IssueId]) -> Mapping[IssueId, Mapping[str, datetime]]:
        """Which kinds were noted of each of the issues, and when they were last tried."""
        found: dict[IssueId, dict[str, datetime]] = {each: {} for each in issues}
        near = (
            issue.c.newsletter.in_({each.newsletter for each in issues}),
            issue.c.local_date.in_({each.date for each in issues}),
        )
        for row in self._rows(*near):
            found.get(row.issue, {})[row.kind] = row.at
        return found

    def open(self, most_tries: int) -> Sequence[DeskMailRow]:
        """What is not settled and was tried fewer than `most_tries` times, the oldest first."""
        return self._rows(~desk_mail.c.settled, desk_mail.c.tries < most_tries)

    def note(self, issue_id: IssueId, kind: str, documents: Mapping[str, str], now: datetime) -> bool:
        """Note what is to be told to each address; False where all of that was noted before, by whomever."""
        with self._database.write() as connection:
            pk = issue_pk(connection, issue_id)
            made = 0
            for address, document in documents.items():
                row = {"issue_id": pk, "kind": kind, "address": address, "at": now, "document": document}
                statement = insert_or_ignore(connection, desk_mail).values(row)
                # RETURNING tells: an INSERT's rowcount is -1 on PostgreSQL.
                made += connection.scalar(statement.returning(desk_mail.c.issue_id)) is not None
            return made > 0

    def claim(self, row: DeskMailRow, now: datetime) -> bool:
        """Count one more try before it is made; False when somebody else was first, or it is settled."""
        with self._database.write() as connection:
            those = self._is(row), desk_mail.c.tries == row.tries, ~desk_mail.c.settled
            done = connection.execute(sa.update(desk_mail).where(*those).values(tries=row.tries + 1, at=now))
            return done.rowcount == 1

    def settle(self, rows: Collection[DeskMailRow]) -> None:
        """Close what was taken, or will never be."""
        with self._database.write() as connection:
            for row in rows:
                connection.execute(sa.update(desk_mail).where(self._is(row)).values(settled=True))

    def _is(self, row: DeskMailRow) -> sa.ColumnElement[bool]:
        numbered = sa.select(issue.c.id).where(*is_issue(row.issue)).scalar_subquery()
        return sa.and_(
            desk_mail.c.issue_id == numbered, desk_mail.c.kind == row.kind, desk_mail.c.address == row.address
        )

    def _rows(self, *those: sa.ColumnElement[bool]) -> Sequence[DeskMailRow]:
        query = (
            sa.select(desk_mail, issue.c.newsletter, issue.c.local_date, issue.c.number)
            .join(issue, issue.c.id == desk_mail.c.issue_id)
            .where(*those)
            .order_by(desk_mail.c.at, desk_mail.c.issue_id, desk_mail.c.kind, desk_mail.c.address)
        )
        with self._database.read() as connection:
            return [
                DeskMailRow(
                    issue=IssueId(row.newsletter, row.local_date, row.number),
                    kind=row.kind,
                    address=row.address,
                    at=row.at,
                    tries=row.tries,
                    settled=row.settled,
                    document=row.document,
                )
                for row in connection.execute(query)
            ]
