"""Corrections: what was wrong in issues that left, who is told of it by mail, and where the next issue tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import REACHED, SEALED, Correction, IssueId
from newsletter.storage.database import Database
from newsletter.storage.documents import snapshot_of
from newsletter.storage.keys import is_issue, issue_pk
from newsletter.storage.tables import correction, delivery, issue

__all__ = ["CorrectionRow", "Corrections", "Fault", "got_fault", "keep_fault", "tell_corrections"]

"""Who got a message, or may have: an apology too many is better than a fault that stays."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong in an issue: the story, its title then, and what readers are told of it."""

    story: str
    title: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRow:
    """One correction of an issue: revisions below `right_from` have the fault. `mailed_in` tells it to who got it."""

    number: int
    story: str
    title: str
    notice: str
    right_from: int
    at: datetime
    who: str
    mailed_in: IssueId | None


class Corrections:
    """Every correction of the desk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mail(self, number: int, mailed_in: IssueId) -> None:
        """Write down which issue tells the correction of that number to those who got the fault."""
        with self._database.write() as connection:
            told = sa.update(correction).where(correction.c.id == number)
            connection.execute(told.values(mailed_in=issue_pk(connection, mailed_in)))

    def of(self, issue_id: IssueId) -> Sequence[CorrectionRow]:
        """The corrections of an issue, the earliest first."""
        mail = issue.alias("mail")
        query = (
            sa.select(correction, mail.c.newsletter, mail.c.local_date, mail.c.number)
            .join(issue, issue.c.id == correction.c.issue_id)
            .outerjoin(mail, mail.c.id == correction.c.mailed_in)
            .where(*is_issue(issue_id))
            .order_by(correction.c.id)
        )
        with self._database.read() as connection:
            return [
                CorrectionRow(
                    number=row.id,
                    story=row.story,
                    title=row.title,
                    notice=row.notice,
                    right_from=row.right_from,
                    at=row.at,
                    who=row.who,
                    mailed_in=IssueId(row.newsletter, row.local_date, row.number) if row.newsletter else None,
                )
                for row in connection.execute(query)
            ]

    def untold(self, newsletter: str, teller: IssueId) -> Sequence[Correction]:
        """What the newsletter's issue `teller` has to say of faults in earlier ones that reached somebody.

        What another issue told that was taken back is told again.
        """
        told = issue.alias("told")
        reached = (
            sa.select(delivery.c.id)
            .where(
                delivery.c.issue_id == correction.c.issue_id,
                delivery.c.revision < correction.c.right_from,
                delivery.c.state.in_(REACHED),
            )
            .exists()
        )
        query = (
            sa.select(correction.c.id, issue.c.local_date, correction.c.title, correction.c.notice)
            .join(issue, issue.c.id == correction.c.issue_id)
            .outerjoin(told, told.c.id == correction.c.told_in)
            .where(
                issue.c.newsletter == newsletter,
                ~sa.and_(*is_issue(teller)),
                reached,
                sa.or_(told.c.id.is_(None), told.c.state.not_in(SEALED), sa.and_(*is_issue(teller, told))),
            )
            .order_by(correction.c.id)
        )
        with self._database.read() as connection:
            return [Correction(row.id, row.local_date, row.title, row.notice) for row in connection.execute(query)]


def keep_fault(
    connection: Connection, issue_id: IssueId, fault: Fault, *, right_from: int, now: datetime, who: str
) -> None:
    """Write a correction down with the revision that is right, in one transaction."""
    values = {"story": fault.story, "title": fault.title, "notice": fault.notice}
    pk = issue_pk(connection, issue_id)
    connection.execute(sa.insert(correction).values(**values, issue_id=pk, right_from=right_from, at=now, who=who))


def got_fault(connection: Connection, issue_id: IssueId, below: int) -> sa.Select[int]:
    """The numbers of the subscribers who got a revision below `below` of the issue, or may have."""
    pk = issue_pk(connection, issue_id)
    return sa.select(delivery.c.subscriber_id).where(
        delivery.c.issue_id == pk, delivery.c.revision < below, delivery.c.state.in_(REACHED)
    )


def tell_corrections(connection: Connection, issue_id: IssueId) -> None:
    """An issue that was just approved tells what its snapshot says of earlier ones."""
    document = connection.scalar(sa.select(issue.c.snapshot).where(*is_issue(issue_id)))
    snapshot = snapshot_of(document) if document else None
    if snapshot is None or snapshot.faulty is not None or not snapshot.corrections:
        return
    numbers = [told.number for told in snapshot.corrections]
    told = sa.update(correction).where(correction.c.id.in_(numbers))
    connection.execute(told.values(told_in=issue_pk(connection, issue_id)))
