"""Issues: what they say and said, drafted, sealed and corrected, and which stand where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

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
from newsletter.storage.corrections import Fault, keep_fault, tell_corrections
from newsletter.storage.database import Database
from newsletter.storage.documents import SNAPSHOT, snapshot_of
from newsletter.storage.editions import keep_editions, sealed_edition, sealed_editions
from newsletter.storage.keys import IS_NAMED, IS_TOLD, among, is_issue, issue_pk, named, no_such_issue
from newsletter.storage.progress import counted
from newsletter.storage.revisions import keep_revision
from newsletter.storage.story_pages import keep_pages
from newsletter.storage.tables import edition, issue, issue_event, issue_story

__all__ = ["EXCLUSIONS", "Issues"]

A_MONTH = timedelta(days=31)

EXCLUSIONS = ("suppressed", "unsubscribed", "paused", "frequency", "no_stories")


_SEAL = sa.select(issue.c.approved_revision, issue.c.approved_at).where(IS_NAMED)


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

    def story_counts(self, those: Collection[IssueId]) -> Mapping[IssueId, int]:
        """How many stories the present draft of each holds; none of those without a story."""
        number = sa.func.count().label("stories")
        query = (
            sa.select(issue.c.newsletter, issue.c.local_date, issue.c.number, number)
            .join(issue_story, issue_story.c.issue_id == issue.c.id)
            .where(among(those))
            .group_by(issue.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {IssueId(row.newsletter, row.local_date, row.number): row.stories for row in rows}

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
            _keep_stories(connection, issue_id, snapshot)
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
                _keep_stories(connection, issue_id, snapshot)
                keep_revision(connection, issue_id, values, now=now, who=who, what="corrected")
                keep_fault(connection, issue_id, fault, right_from=revision + 1, now=now, who=who)
            return moved

    def last_window_end(self, newsletter: str, before: IssueId) -> datetime | None:
        """Where the window of the newsletter's last sealed issue (other than `before`) ended; None for a first one."""
        query = sa.select(sa.func.max(issue.c.window_end)).where(
            issue.c.newsletter == newsletter, IS_TOLD, ~sa.and_(*is_issue(before))
        )
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(query)
        return found

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

    def carried(
        self, newsletters: Collection[str], besides: IssueId, stories: Collection[str] = ()
    ) -> Mapping[str, IssueId]:
        """What sealed issues of the named newsletters, other than `besides`, have carried within a month of it, and
        which of these `stories` ever."""
        ever = issue_story.c.story.in_(list(stories))
        query = (
            sa.select(issue_story.c.story, issue.c.newsletter, issue.c.local_date, issue.c.number)
            .join(issue, issue.c.id == issue_story.c.issue_id)
            .where(
                issue.c.newsletter.in_(list(newsletters)),
                IS_TOLD,
                sa.or_(issue.c.local_date.between(besides.date - A_MONTH, besides.date + A_MONTH), ever),
                ~sa.and_(*is_issue(besides)),
            )
        )
        with self._database.read() as connection:
            return {row.story: IssueId(row.newsletter, row.local_date, row.number) for row in connection.execute(query)}

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

    def carrying(self, story_id: str, states: Collection[IssueState]) -> Sequence[IssueId]:
        """The issues in one of the states that tell that story, earliest due first."""
        query = (
            sa.select(issue.c.newsletter, issue.c.local_date, issue.c.number)
            .join(issue_story, issue_story.c.issue_id == issue.c.id)
            .where(issue_story.c.story == story_id, issue.c.state.in_(list(states)))
            .order_by(issue.c.due_at, issue.c.id)
        )
        with self._database.read() as connection:
            return [IssueId(row.newsletter, row.local_date, row.number) for row in connection.execute(query)]

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
                (IssueState.REVIEW, IssueState.WAITING),
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

    def approve_first(self, issue_id: IssueId, revision: int, by: str, now: datetime) -> bool:
        """Write down the first of two approvals of one revision; False when it is not waiting for one."""
        plan = self._plan()
        with self._database.write() as connection:
            current = life.get(connection, issue_id)
            if current.state not in (IssueState.REVIEW, IssueState.WAITING) or current.first_approved_by:
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

    def begun_at(self, issue_id: IssueId) -> datetime | None:
        """When its sending was begun, taken up again or given more to do for the last time."""
        query = sa.select(sa.func.max(issue_event.c.at)).join(issue, issue.c.id == issue_event.c.issue_id)
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(
                query.where(*is_issue(issue_id), issue_event.c.to_state == IssueState.SENDING)
            )
        return found

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


def _keep_stories(connection: Connection, issue_id: IssueId, snapshot: Snapshot) -> None:
    """What the issue carries, to be searched by."""
    pk = issue_pk(connection, issue_id)
    connection.execute(sa.delete(issue_story).where(issue_story.c.issue_id == pk))
    if rows := [{"issue_id": pk, "story": placed.story.id} for placed in snapshot.placed]:
        connection.execute(sa.insert(issue_story), rows)
    keep_pages(connection, pk, snapshot)
