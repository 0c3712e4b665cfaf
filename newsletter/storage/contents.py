"""Contents: which stories stand in which issues, and what issues have told already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import IssueId, IssueState, Snapshot
from newsletter.storage.database import Database
from newsletter.storage.documents import snapshot_of
from newsletter.storage.keys import IS_TOLD, among, is_issue, issue_pk
from newsletter.storage.story_pages import keep_pages
from newsletter.storage.tables import issue, issue_story

__all__ = ["Contents", "keep_contents"]

_A_MONTH = timedelta(days=31)
_ID = issue.c.newsletter, issue.c.local_date, issue.c.number


class Contents:
    """The stories of every issue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def story_counts(self, those: Collection[IssueId]) -> Mapping[IssueId, int]:
        """How many stories the present draft of each holds; none of those without a story."""
        number = sa.func.count().label("stories")
        query = (
            sa.select(*_ID, number)
            .join(issue_story, issue_story.c.issue_id == issue.c.id)
            .where(among(those))
            .group_by(issue.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {IssueId(row.newsletter, row.local_date, row.number): row.stories for row in rows}

    def carrying(self, story_id: str, states: Collection[IssueState]) -> Sequence[IssueId]:
        """The issues in one of the states that tell that story, earliest due first."""
        query = (
            sa.select(*_ID)
            .join(issue_story, issue_story.c.issue_id == issue.c.id)
            .where(issue_story.c.story == story_id, issue.c.state.in_(list(states)))
            .order_by(issue.c.due_at, issue.c.id)
        )
        with self._database.read() as connection:
            return [IssueId(row.newsletter, row.local_date, row.number) for row in connection.execute(query)]

    def carried(
        self, newsletters: Collection[str], besides: IssueId, stories: Collection[str] = ()
    ) -> Mapping[str, IssueId]:
        """What sealed issues of the named newsletters, other than `besides`, have carried within a month of it, and
        which of these `stories` ever."""
        ever = issue_story.c.story.in_(list(stories))
        query = (
            sa.select(issue_story.c.story, *_ID)
            .join(issue, issue.c.id == issue_story.c.issue_id)
            .where(
                issue.c.newsletter.in_(list(newsletters)),
                IS_TOLD,
                sa.or_(issue.c.local_date.between(besides.date - _A_MONTH, besides.date + _A_MONTH), ever),
                ~sa.and_(*is_issue(besides)),
            )
        )
        with self._database.read() as connection:
            return {row.story: IssueId(row.newsletter, row.local_date, row.number) for row in connection.execute(query)}

    def told(self, newsletters: Collection[str], after: datetime, until: datetime) -> Sequence[Snapshot]:
        """What sealed issues of the named newsletters say that were due in (`after`, `until`], earliest first."""
        if not newsletters:
            return ()
        query = (
            sa.select(issue.c.snapshot)
            .where(issue.c.newsletter.in_(list(newsletters)), IS_TOLD, issue.c.snapshot.is_not(None))
            .where(issue.c.due_at > after, issue.c.due_at <= until)
            .order_by(issue.c.due_at, issue.c.id)
        )
        with self._database.read() as connection:
            return [snapshot_of(document) for document in connection.scalars(query)]

    def last_window_end(self, newsletter: str, before: IssueId) -> datetime | None:
        """Where the window of the newsletter's last sealed issue (other than `before`) ended; None for a first one."""
        query = sa.select(sa.func.max(issue.c.window_end)).where(
            issue.c.newsletter == newsletter, IS_TOLD, ~sa.and_(*is_issue(before))
        )
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(query)
        return found


def keep_contents(connection: Connection, issue_id: IssueId, snapshot: Snapshot) -> None:
    """Write down what the issue carries, to be searched by, within the caller's transaction."""
    pk = issue_pk(connection, issue_id)
    connection.execute(sa.delete(issue_story).where(issue_story.c.issue_id == pk))
    if rows := [{"issue_id": pk, "story": placed.story.id} for placed in snapshot.placed]:
        connection.execute(sa.insert(issue_story), rows)
    keep_pages(connection, pk, snapshot)
