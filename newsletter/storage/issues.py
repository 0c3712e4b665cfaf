"""Issues: drafted, corrected, and which stand where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from newsletter.errors import NotFoundError
from newsletter.model import (
    BEGUN,
    EDITABLE,
    Books,
    DeliveryState,
    Issue,
    IssueId,
    IssueState,
    RenderedEdition,
    Snapshot,
)
from newsletter.storage import life
from newsletter.storage.contents import keep_contents
from newsletter.storage.corrections import Fault, keep_fault
from newsletter.storage.database import Database
from newsletter.storage.documents import SNAPSHOT
from newsletter.storage.editions import keep_editions
from newsletter.storage.keys import is_issue, issue_pk, no_such_issue
from newsletter.storage.progress import counted
from newsletter.storage.revisions import keep_revision
from newsletter.storage.tables import issue, issue_event

__all__ = ["EXCLUSIONS", "Issues"]

EXCLUSIONS = ("suppressed", "unsubscribed", "paused", "frequency", "no_stories")


class Issues:
    """Every issue of the desk, unique on (newsletter, local date, number).

    `plan` tells the first twelve digits of the digest of the schedule in force; each transition records them.
    """

    def __init__(self, database: Database, plan: Callable[[], str] = lambda: "") -> None:
        self._database = database
        self._plan = plan

    def plan(self, issue_id: IssueId, due_at: datetime, now: datetime, who: str) -> Issue:
        """The issue of that slot; made in state `planned` if nobody made it yet."""
        plan = self._plan()
        with self._database.write() as connection:
            life.make(connection, issue_id, due_at, now, who, plan)
            return life.get(connection, issue_id)

    def plan_another(
        self, newsletter: str, day: date, due_at: datetime, now: datetime, who: str, *, least: int = 1
    ) -> Issue:
        """A new issue of that date, numbered `least` or behind those that are there: whoever asks at the same moment
        gets another one."""
        plan = self._plan()
        latest = sa.select(sa.func.max(issue.c.number)).where(
            issue.c.newsletter == newsletter, issue.c.local_date == day
        )
        while True:
            with self._database.write() as connection:
                issue_id = IssueId(newsletter, day, max(least, (connection.scalar(latest) or 0) + 1))
                if life.make(connection, issue_id, due_at, now, who, plan):
                    return life.get(connection, issue_id)

    def get(self, issue_id: IssueId) -> Issue:
        """The issue of that id; raises `NotFoundError`."""
        with self._database.read() as connection:
            return life.get(connection, issue_id)

    def find(self, issue_id: IssueId) -> Issue | None:
        """The issue of that id, or None."""
        try:
            return self.get(issue_id)
        except NotFoundError:
            return None

    def list(
        self,
        newsletter: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        *,
        state: IssueState | None = None,
        after: IssueId | None = None,
    ) -> Sequence[Issue]:
        """Issues without their snapshots, latest due first; `limit` of them from the one at `offset` on, or of those
        behind `after`. Raises `NotFoundError` where that is none."""
        latest = issue.c.due_at.desc(), issue.c.id.desc()
        chosen = sa.select(issue.c.id).order_by(*latest).limit(limit).offset(offset)
        if newsletter is not None:
            chosen = chosen.where(issue.c.newsletter == newsletter)
        if state is not None:
            chosen = chosen.where(issue.c.state == state)
        if after is not None:
            chosen = chosen.where(sa.tuple_(issue.c.due_at, issue.c.id) < self._place_of(after))
        # Sorted by their first columns alone: those behind the snapshot would have all of it read.
        query = life.WITHOUT_SNAPSHOT.where(issue.c.id.in_(chosen)).order_by(*latest)
        with self._database.read() as connection:
            return [life.issue_of(row) for row in connection.execute(query)]

    def _place_of(self, issue_id: IssueId) -> sa.Tuple:
        """Where in the order of the list an issue stands."""
        with self._database.read() as connection:
            number = issue_pk(connection, issue_id)
            due = connection.scalar(sa.select(issue.c.due_at).where(issue.c.id == number))
        return sa.tuple_(sa.literal(due, issue.c.due_at.type), sa.literal(number, issue.c.id.type))

    def dated_from(self, first: date) -> Mapping[IssueId, Issue]:
        """Every issue dated `first` or later, without its snapshot, by its id."""
        query = life.WITHOUT_SNAPSHOT.where(issue.c.local_date >= first)
        with self._database.read() as connection:
            return {found.id: found for found in map(life.issue_of, connection.execute(query))}

    def dated(self, day: date) -> Sequence[Issue]:
        """Every issue of that date, without its snapshot."""
        query = life.WITHOUT_SNAPSHOT.where(issue.c.local_date == day)
        with self._database.read() as connection:
            return [life.issue_of(row) for row in connection.execute(query)]

    def in_state(self, *states: IssueState) -> Sequence[Issue]:
        """Every issue in one of the states, without its snapshot, earliest due first."""
        query = life.WITHOUT_SNAPSHOT.where(issue.c.state.in_(states)).order_by(issue.c.due_at, issue.c.id)
        with self._database.read() as connection:
            return [life.issue_of(row) for row in connection.execute(query)]

    def lately(self, since: datetime) -> Sequence[Issue]:
        """Every issue that was due, or that something happened to, after `since`, without its snapshot."""
        happened = sa.select(issue_event.c.issue_id).where(issue_event.c.at > since)
        query = life.WITHOUT_SNAPSHOT.where(sa.or_(issue.c.due_at > since, issue.c.id.in_(happened))).order_by(
            issue.c.id
        )
        with self._database.read() as connection:
            return [life.issue_of(row) for row in connection.execute(query)]

    def move(
        self,
        issue_id: IssueId,
        before: Collection[IssueState],
        after: IssueState,
        *,
        now: datetime,
        who: str,
        why: str = "",
    ) -> bool:
        """Change the state if it is one of `before`; False when somebody else was first."""
        plan = self._plan()
        with self._database.write() as connection:
            return life.move(connection, issue_id, before, after, now=now, who=who, why=why, plan=plan)

    def step_back(
        self,
        issue_id: IssueId,
        before: Collection[IssueState],
        after: IssueState,
        *,
        now: datetime,
        who: str,
        why: str,
    ) -> bool:
        """As `move`, for an issue that may be approved: its approval is void."""
        plan = self._plan()
        with self._database.write() as connection:
            return life.move(
                connection, issue_id, before, after, now=now, who=who, why=why, plan=plan, **life.NO_APPROVAL
            )

    def hold_back(
        self, issue_id: IssueId, now: datetime, who: str, why: str, after: IssueState = IssueState.WAITING
    ) -> bool:
        """Take an approved issue back for the editors; its approval is void."""
        return self.step_back(issue_id, (IssueState.APPROVED,), after, now=now, who=who, why=why)

    def explain(self, issue_id: IssueId, reason: str) -> bool:
        """Note why an issue stands where it stands; False when that was known."""
        with self._database.write() as connection:
            changed = connection.execute(
                sa.update(issue).where(*is_issue(issue_id), issue.c.reason != reason).values(reason=reason)
            )
            return changed.rowcount == 1

    def first_due(self, newsletter: str) -> datetime | None:
        """When the newsletter's earliest issue was due; None where it has none yet."""
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(
                sa.select(sa.func.min(issue.c.due_at)).where(issue.c.newsletter == newsletter)
            )
        return found

    def reschedule(self, issue_id: IssueId, due_at: datetime) -> None:
        """Set when an issue that is not being sent yet is due."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(issue).where(*is_issue(issue_id), issue.c.state.not_in(BEGUN)).values(due_at=due_at)
            )

    def close_windows(self, now: datetime) -> None:
        """Let no window of stories end later than `now`."""
        with self._database.write() as connection:
            connection.execute(sa.update(issue).where(issue.c.window_end > now).values(window_end=now))

    def store_draft(
        self,
        issue_id: IssueId,
        snapshot: Snapshot,
        after: IssueState,
        *,
        window_end: datetime | None,
        now: datetime,
        who: str,
        why: str = "",
        what: str = "",
        edited_by: str | None = None,
        before: Collection[IssueState] = EDITABLE,
        fault: Fault | None = None,
    ) -> Issue | None:
        """Freeze a new revision of what the issue says; voids an approval. None for an issue that is in another state.

        `what` was done is kept with it. `edited_by` is the person whose doing it is; None where the program built it,
        and the last person stays. With a `fault` it is a correction of what some have got.
        """
        plan = self._plan()
        with self._database.write() as connection:
            current = life.get(connection, issue_id)
            values = _revised(current, snapshot)
            moved = life.move(
                connection,
                issue_id,
                before,
                after,
                now=now,
                who=who,
                why=why,
                plan=plan,
                window_end=window_end,
                edited_by=edited_by or current.edited_by,
                **values,
                **life.NO_APPROVAL,
            )
            if not moved:
                return None
            keep_contents(connection, issue_id, snapshot)
            keep_revision(connection, issue_id, values, now=now, who=who, what=what or "built")
            if fault is not None:
                keep_fault(connection, issue_id, fault, right_from=current.revision + 1, now=now, who=who)
            return life.get(connection, issue_id)

    def amend(
        self,
        issue_id: IssueId,
        revision: int,
        snapshot: Snapshot,
        editions: Iterable[RenderedEdition],
        *,
        fault: Fault,
        now: datetime,
        who: str,
    ) -> bool:
        """Have the archive show a corrected revision of a submitted issue in place of `revision`, whose bytes are kept.

        False when the issue is not submitted, or another revision by now.
        """
        plan = self._plan()
        with self._database.write() as connection:
            values = _revised(life.get(connection, issue_id), snapshot)
            submitted = IssueState.SUBMITTED
            moved = life.move(
                connection,
                issue_id,
                (submitted,),
                submitted,
                now=now,
                who=who,
                why=fault.notice,
                plan=plan,
                if_revision=revision,
                approved_revision=values["revision"],
                **values,
            )
            if moved:
                keep_editions(connection, issue_id, revision + 1, editions)
                keep_contents(connection, issue_id, snapshot)
                keep_revision(connection, issue_id, values, now=now, who=who, what="corrected")
                keep_fault(connection, issue_id, fault, right_from=revision + 1, now=now, who=who)
            return moved

    def history(self, issue_id: IssueId) -> Sequence[life.Transition]:
        """Every change of the issue's state, in order."""
        query = (
            sa.select(issue_event)
            .join(issue, issue.c.id == issue_event.c.issue_id)
            .where(*is_issue(issue_id))
            .order_by(issue_event.c.id)
        )
        with self._database.read() as connection:
            return [
                life.Transition(
                    row.at,
                    row.who,
                    IssueState(row.from_state) if row.from_state else None,
                    IssueState(row.to_state),
                    row.why,
                    row.plan,
                )
                for row in connection.execute(query)
            ]

    def begun_at(self, issue_id: IssueId) -> datetime | None:
        """When its sending was begun, taken up again or given more to do for the last time."""
        query = sa.select(sa.func.max(issue_event.c.at)).join(issue, issue.c.id == issue_event.c.issue_id)
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(
                query.where(*is_issue(issue_id), issue_event.c.to_state == IssueState.SENDING)
            )
        return found

    def books(self, issue_id: IssueId) -> Books:
        """The account of the issue; before the freeze every figure is 0."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(issue.c.id, issue.c.state, issue.c.candidates, issue.c.excluded).where(*is_issue(issue_id))
            ).first()
            if row is None:
                raise no_such_issue(issue_id)
            counts = counted(connection, row.id)
        return Books(
            issue=issue_id,
            state=IssueState(row.state),
            candidates=row.candidates,
            excluded=dict.fromkeys(EXCLUSIONS, 0) | row.excluded,
            deliveries=dict.fromkeys(map(str, DeliveryState), 0) | counts,
        )


def _revised(current: Issue, snapshot: Snapshot) -> dict[str, Any]:
    return {"revision": current.revision + 1, "snapshot": SNAPSHOT.dump_json(snapshot).decode()}
