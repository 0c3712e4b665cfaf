"""What readers report as wrong: a queue for editors. The words are a stranger's, and nobody knows whose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.errors import NotFoundError, NothingToDoError
from newsletter.model import IssueId
from newsletter.storage.database import Database, insert_or_ignore
from newsletter.storage.keys import hashed, issue_pk
from newsletter.storage.tables import issue, reader_report

__all__ = ["ReaderReport", "ReaderReports"]

_OPEN = reader_report.c.closed_at.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderReport:
    """One report: about a story (or a whole issue, where `story` is empty), under the headline the reader saw.

    `issue` is None for one that was written on the page of a story, which stands in no issue.
    """

    number: int
    newsletter: str
    issue: IssueId | None
    story: str
    title: str
    words: str
    language: str
    at: datetime
    taken_by: str | None
    taken_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None


class ReaderReports:
    """The reports of every newsletter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        newsletter: str,
        issue_id: IssueId | None,
        story: str,
        title: str,
        words: str,
        language: str,
        now: datetime,
    ) -> bool:
        """Keep a report; False where the same words about the same thing are there already."""
        with self._database.write() as connection:
            values = {
                "newsletter": newsletter,
                "issue_id": issue_pk(connection, issue_id) if issue_id else None,
                "story": story,
                "title": title,
                "words": words,
                "language": language,
                "at": now,
                "digest": hashed(f"{issue_id or newsletter}\n{story}\n{words}"),
            }
            insert = insert_or_ignore(connection, reader_report).values(values).returning(reader_report.c.id)
            return connection.scalar(insert) is not None

    def list(self, *, closed: bool, limit: int, skip: int = 0) -> Sequence[ReaderReport]:
        """The open ones, the longest waiting first; or the closed ones, the last closed first."""
        query = sa.select(reader_report, *_ISSUE).outerjoin(issue, issue.c.id == reader_report.c.issue_id)
        if closed:
            query = query.where(~_OPEN).order_by(reader_report.c.closed_at.desc(), reader_report.c.id.desc())
        else:
            query = query.where(_OPEN).order_by(reader_report.c.id)
        with self._database.read() as connection:
            return [_report(row) for row in connection.execute(query.limit(limit).offset(skip))]

    def count_open(self) -> int:
        """How many wait for somebody."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(reader_report).where(_OPEN)) or 0

    def by_story(self, issue_id: IssueId) -> Counter[str]:
        """How many there are of each story of the issue, open and closed; the issue as a whole has an empty name."""
        query = sa.select(reader_report.c.story, sa.func.count().label("number")).group_by(reader_report.c.story)
        with self._database.read() as connection:
            mine = query.where(reader_report.c.issue_id == issue_pk(connection, issue_id))
            return Counter({row.story: row.number for row in connection.execute(mine)})

    def of_no_issue(self, newsletter: str, start: datetime, end: datetime) -> Counter[str]:
        """How many came from the pages of each story, from `start` until before `end`."""
        query = sa.select(reader_report.c.story, sa.func.count().label("number")).group_by(reader_report.c.story)
        mine = reader_report.c.newsletter == newsletter, reader_report.c.issue_id.is_(None)
        with self._database.read() as connection:
            rows = connection.execute(query.where(*mine, reader_report.c.at >= start, reader_report.c.at < end))
            return Counter({row.story: row.number for row in rows})

    def take(self, number: int, *, who: str, now: datetime) -> None:
        """Note who looks into it, whoever did before; raises `NothingToDoError` for one that is closed."""
        self._set(number, {"taken_by": who, "taken_at": now}, closed=False)

    def close(self, number: int, *, who: str, now: datetime) -> None:
        """Note that nothing is left to do about it."""
        self._set(number, {"closed_by": who, "closed_at": now}, closed=False)

    def reopen(self, number: int) -> None:
        """Put it back into the queue."""
        self._set(number, {"closed_by": None, "closed_at": None}, closed=True)

    def _set(self, number: int, values: dict[str, str | datetime | None], *, closed: bool) -> None:
        one = reader_report.c.id == number
        change = sa.update(reader_report).where(one, ~_OPEN if closed else _OPEN).values(values)
        with self._database.write() as connection:
            if connection.execute(change).rowcount:
                return
            if connection.scalar(sa.select(reader_report.c.id).where(one)) is None:
                raise NotFoundError(f"there is no report {number}")
        raise NothingToDoError(f"report {number} is {'open' if closed else 'closed'} already")


_ISSUE = (issue.c.newsletter.label("issue_newsletter"), issue.c.local_date, issue.c.number.label("issue_number"))


def _report(row: sa.Row[tuple[object, ...]]) -> ReaderReport:
    of_issue = IssueId(row.issue_newsletter, row.local_date, row.issue_number) if row.issue_newsletter else None
    return ReaderReport(
        number=row.id,
        newsletter=row.newsletter,
        issue=of_issue,
        story=row.story,
        title=row.title,
        words=row.words,
        language=row.language,
        at=row.at,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        closed_by=row.closed_by,
        closed_at=row.closed_at,
    )
