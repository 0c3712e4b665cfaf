"""Sends: an issue's deliveries taken together, from the freeze to the settling, and what people decide between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import BEGUN, CLAIMABLE, UNDERWAY, UNSETTLED, DeliveryState, IssueId, IssueState
from newsletter.storage import progress, windows
from newsletter.storage.database import Database
from newsletter.storage.keys import issue_pk
from newsletter.storage.life import NO_APPROVAL, move
from newsletter.storage.tables import delivery, issue
from newsletter.storage.webhooks import note_submitted

__all__ = ["Sends"]


class Sends:
    """The send of every issue; `plan` as for `Issues`."""

    def __init__(self, database: Database, plan: Callable[[], str] = lambda: "") -> None:
        self._database = database
        self._plan = plan

    def freeze(
        self,
        connection: Connection,
        issue_id: IssueId,
        revision: int,
        recipients: sa.Select[tuple[int, str, str, str, datetime | None]],
        *,
        excluded: Mapping[str, int],
        now: datetime,
        message_seed: str,
        message_domain: str,
    ) -> bool:
        """Write down who gets the approved revision, within the caller's transaction; False when it was frozen
        before, or is not the approved one any more.

        `recipients` gives subscriber, address, name, edition, and the instant of the reader's wave (None for at once),
        in the subscribers' order. From the commit on the books of the issue are kept: candidates = excluded +
        deliveries. Seed (at most 64 hexadecimal digits) and domain make the Message-IDs.
        """
        begun = move(
            connection,
            issue_id,
            (IssueState.APPROVED,),
            IssueState.SENDING,
            now=now,
            who="sender",
            plan=self._plan(),
            if_revision=revision,
            frozen_at=now,
        )
        if not begun:
            return False
        pk = issue_pk(connection, issue_id)
        same = {
            "issue_id": pk,
            "revision": revision,
            "state": DeliveryState.QUEUED,
            "attempts": 0,
            "reply": "",
            "changed_at": now,
        }
        rows = recipients.add_columns(*(sa.literal(value, delivery.c[name].type) for name, value in same.items()))
        names = ("subscriber_id", "email", "name", "edition", "not_before", *same)
        insert = sa.insert(delivery).from_select(names, rows, include_defaults=False)
        queued = connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount
        counted = {"candidates": queued + sum(excluded.values()), "excluded": dict(excluded)}
        connection.execute(sa.update(issue).where(issue.c.id == pk).values(counted))
        progress.begin(connection, pk, seed=message_seed, domain=message_domain, queued=queued)
        return True

    def retry_now(self, issue_id: IssueId) -> int:
        """Make every deferred delivery of the issue due; returns how many."""
        return self._change(issue_id, DeliveryState.DEFERRED, DeliveryState.DEFERRED, not_before=windows.AT_ONCE)

    def requeue_unknown(self, issue_id: IssueId, now: datetime) -> int:
        """Queue every delivery again whose fate nobody knows, though it may then arrive twice; returns how many.

        None of an issue that is not being sent any more.
        """
        with self._database.write() as connection:
            pk = issue_pk(connection, issue_id)
            _, sending = progress.locked(connection, pk)
            again = {"not_before": windows.AT_ONCE, "changed_at": now}
            if not sending:
                return 0
            return self._shift(connection, pk, DeliveryState.UNKNOWN, DeliveryState.QUEUED, **again)

    def decide(
        self,
        issue_id: IssueId,
        before: DeliveryState,
        after: DeliveryState,
        *,
        email: str | None,
        now: datetime,
        who: str,
        why: str,
    ) -> tuple[int, int]:
        """Have the deliveries in one state, all of them or one address's, be in another, because `who` says so.

        Returns how many those were and how many stay. An issue that was settled is being sent again when something of
        it is queued.
        """
        again, plan = after is DeliveryState.QUEUED, self._plan()
        with self._database.write() as connection:
            pk = issue_pk(connection, issue_id)
            those = (sa.func.lower(delivery.c.email) == email.lower(),) if email else ()
            due = {"not_before": windows.AT_ONCE} if again else {}
            number = self._shift(connection, pk, before, after, *those, changed_at=now, **due)
            left = progress.tally(connection, pk).get(before, 0)
            if number:
                state = IssueState(str(connection.scalar(sa.select(issue.c.state).where(issue.c.id == pk))))
                to = IssueState.SENDING if again and state is IssueState.SUBMITTED else state
                said = f"{number} {before} {why}, {left} left"
                move(connection, issue_id, BEGUN, to, now=now, who=who, why=said, plan=plan)
            return number, left

    def settle(self, issue_id: IssueId, now: datetime) -> bool:
        """Close an issue that is being sent, or was stopped at its last, once nothing of it is queued, in flight or
        deferred; False until then."""
        plan = self._plan()
        with self._database.write() as connection:
            pk = issue_pk(connection, issue_id)
            progress.locked(connection, pk)
            counts = progress.tally(connection, pk)
            if any(counts.get(state) for state in UNSETTLED):
                return False
            unknown = counts.get(DeliveryState.UNKNOWN, 0)
            why, after = f"{unknown} unknown" if unknown else "", IssueState.SUBMITTED
            done = move(
                connection, issue_id, UNDERWAY, after, now=now, who="sender", why=why, plan=plan, settled_at=now
            )
            if done:
                note_submitted(connection, issue_id, counts, now)
            return done

    def stop(self, issue_id: IssueId, *, now: datetime, who: str, why: str) -> bool:
        """Have nobody claim anything more of an issue that is being sent; False when it is not."""
        plan, begun = self._plan(), (IssueState.SENDING,)
        with self._database.write() as connection:
            progress.locked(connection, issue_pk(connection, issue_id))
            return move(connection, issue_id, begun, IssueState.STOPPED, now=now, who=who, why=why, plan=plan)

    def undo(self, issue_id: IssueId, *, now: datetime, who: str, why: str) -> bool:
        """Forget the frozen audience of an issue of which nothing has left, and give it back to the editors.

        False, and nothing is changed, where anything has left, may have, or is about to.
        """
        plan = self._plan()
        with self._database.write() as connection:
            pk = issue_pk(connection, issue_id)
            progress.locked(connection, pk)
            untouched = DeliveryState.QUEUED, DeliveryState.CANCELLED
            touched = sa.or_(delivery.c.attempts > 0, delivery.c.state.not_in(untouched))
            if progress.tally(connection, pk).get(DeliveryState.SENDING) or connection.scalar(
                sa.select(delivery.c.id).where(delivery.c.issue_id == pk, touched).limit(1)
            ):
                return False
            values = NO_APPROVAL | {"frozen_at": None, "candidates": 0, "excluded": {}}
            if not move(
                connection, issue_id, UNDERWAY, IssueState.REVIEW, now=now, who=who, why=why, plan=plan, **values
            ):
                return False
            connection.execute(sa.delete(delivery).where(delivery.c.issue_id == pk))
            progress.begin(connection, pk, seed="", domain="", queued=0)
            return True

    def take_up(
        self, connection: Connection, issue_id: IssueId, revision: int, editions: Collection[str], now: datetime
    ) -> bool:
        """Send the rest of a corrected issue in its approved revision, within the caller's transaction.

        Who would get an edition that is not among those has no story left, and is cancelled. False, and nothing is
        changed, where it is not approved, or something of it is in flight.
        """
        pk = issue_pk(connection, issue_id)
        progress.locked(connection, pk)
        if progress.tally(connection, pk).get(DeliveryState.SENDING) or not move(
            connection,
            issue_id,
            (IssueState.APPROVED,),
            IssueState.SENDING,
            now=now,
            who="sender",
            why=f"the rest, in revision {revision}",
            plan=self._plan(),
            if_revision=revision,
        ):
            return False
        rest = delivery.c.issue_id == pk, delivery.c.state.in_(CLAIMABLE)
        connection.execute(sa.update(delivery).where(*rest).values(revision=revision))
        values = {"not_before": None, "changed_at": now, "reply": "no story is left for this reader"}
        for state in CLAIMABLE:
            without = delivery.c.edition.not_in(list(editions))
            self._shift(connection, pk, state, DeliveryState.CANCELLED, without, **values)
        return True

    def give_up(self, issue_id: IssueId, *, now: datetime, who: str) -> int | None:
        """Cancel what a stopped issue has queued or deferred, and settle it; returns how many those were.

        None, and nothing is changed, where it is not stopped or something of it is in flight.
        """
        plan = self._plan()
        with self._database.write() as connection:
            pk = issue_pk(connection, issue_id)
            progress.locked(connection, pk)
            counts = progress.tally(connection, pk)
            number = sum(counts.get(state, 0) for state in CLAIMABLE)
            frozen = connection.scalar(sa.select(issue.c.frozen_at).where(issue.c.id == pk)) is not None
            begun = (IssueState.STOPPED, IssueState.APPROVED)
            ended, why = IssueState.SUBMITTED, f"stopped, and {number} given up"
            if not frozen or counts.get(DeliveryState.SENDING):
                return None
            if not move(connection, issue_id, begun, ended, now=now, who=who, why=why, plan=plan, settled_at=now):
                return None
            values = {"not_before": None, "changed_at": now, "reply": "the issue was stopped, and its rest given up"}
            for state in CLAIMABLE:
                self._shift(connection, pk, state, DeliveryState.CANCELLED, **values)
            note_submitted(connection, issue_id, progress.tally(connection, pk), now)
            return number

    def expire(self, issue_id: IssueId, now: datetime) -> int:
        """Give up on every delivery of the issue that is still deferred; returns how many."""
        return self._change(issue_id, DeliveryState.DEFERRED, DeliveryState.EXPIRED, not_before=None, changed_at=now)

    def _change(self, issue_id: IssueId, before: DeliveryState, after: DeliveryState, **values: datetime | None) -> int:
        with self._database.write() as connection:
            return self._shift(connection, issue_pk(connection, issue_id), before, after, **values)

    def _shift(
        self,
        connection: Connection,
        pk: int,
        before: DeliveryState,
        after: DeliveryState,
        *those: sa.ColumnElement[bool],
        **values: datetime | str | None,
    ) -> int:
        progress.locked(connection, pk)
        found = sa.update(delivery).where(delivery.c.issue_id == pk, delivery.c.state == before, *those)
        if after is DeliveryState.QUEUED:  # what is sent again is sent as it is right by now
            present = sa.select(issue.c.approved_revision).where(issue.c.id == pk).scalar_subquery()
            found = found.values(revision=sa.func.coalesce(present, delivery.c.revision))
        number = connection.execute(found.values(state=after, **values)).rowcount
        moved: progress.Moved = Counter({after: number})
        moved[before] -= number
        progress.move(connection, pk, moved)
        return number
