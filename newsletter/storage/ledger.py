"""The ledger of one issue for one sender: intents before the wire, outcomes after it, and the settling of the dead."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import DeliveryState, IssueId, Outcome, Recipient
from newsletter.storage.database import Database
from newsletter.storage.issues import delivery_counts
from newsletter.storage.keys import issue_pk
from newsletter.storage.recorder import FlightRecorder, Flown, read_flight
from newsletter.storage.tables import delivery

__all__ = ["IssueLedger"]

REPLY_KEPT = 500

StillWanted = Callable[[Connection, Sequence[int]], set[int]]


class IssueLedger:
    """The `Ledger` of one issue for one sender; a context manager that holds the sender's lock.

    `flights` is the folder of the flight recorders. `wanted` says, inside the transaction that commits the intent,
    which subscribers may still be mailed. `backoff` gives the pause before a deferred message's next try; one that
    would come after `give_up_at` makes the delivery `expired`. Where nobody can know what became of a dead sender's
    message, `resend` queues it again; without it that stays `unknown`.
    """

    def __init__(
        self,
        database: Database,
        issue_id: IssueId,
        *,
        flights: Path,
        wanted: StillWanted,
        backoff: Callable[[int], timedelta],
        give_up_at: datetime,
        resend: bool = False,
    ) -> None:
        self._database = database
        self._issue_id = issue_id
        self._flights = flights
        self._recorder: FlightRecorder | None = None
        self._unrecorded: set[int] = set()
        self._wanted = wanted
        self._backoff = backoff
        self._give_up_at = give_up_at
        self._resend = resend
        self._owner = secrets.token_hex(12)
        self._locks = ExitStack()
        with database.read() as connection:
            self._pk = issue_pk(connection, issue_id)

    def __enter__(self) -> IssueLedger:
        held = self._locks.enter_context(self._database.hold(_lock_name(self._owner)))
        assert held, "a fresh random name cannot be taken"
        self._recorder = FlightRecorder(self._flight(self._owner))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            self._recorder.close(keep=bool(self._unrecorded))
        self._locks.close()

    def leaving(self, delivery: int) -> None:
        """Note that the final dot of a message is about to be written."""
        if self._recorder is not None:
            self._recorder.leaving(delivery)

    def answered(self, outcome: Outcome) -> None:
        """Note what the server said, before it is committed."""
        if self._recorder is not None:
            self._recorder.answered(outcome)

    def claim(self, limit: int, now: datetime) -> Sequence[Recipient]:
        """Commit the intent for up to `limit` due recipients; empty when none is due."""
        while True:
            with self._database.write() as connection:
                rows = connection.execute(
                    sa.select(delivery)
                    .where(delivery.c.issue_id == self._pk, self._due(now))
                    .order_by(delivery.c.id)
                    .limit(limit)
                    .with_for_update(skip_locked=True)
                ).all()
                if not rows:
                    return ()
                wanted = self._wanted(connection, [row.subscriber_id for row in rows])
                gone = [row.id for row in rows if row.subscriber_id not in wanted]
                taken = [row for row in rows if row.subscriber_id in wanted]
                if gone:
                    connection.execute(
                        sa.update(delivery)
                        .where(delivery.c.id.in_(gone))
                        .values(
                            state=DeliveryState.CANCELLED,
                            reply="unsubscribed or suppressed after the freeze",
                            changed_at=now,
                        )
                    )
                if taken:
                    connection.execute(
                        sa.update(delivery)
                        .where(delivery.c.id.in_([row.id for row in taken]))
                        .values(
                            state=DeliveryState.SENDING,
                            owner=self._owner,
                            attempts=delivery.c.attempts + 1,
                            changed_at=now,
                        )
                    )
            if taken:
                self._unrecorded.update(row.id for row in taken)
                return [
                    Recipient(
                        delivery=row.id,
                        subscriber=row.subscriber_id,
                        email=row.email,
                        name=row.name,
                        edition=row.edition,
                        message_id=row.message_id,
                        attempts=row.attempts + 1,
                    )
                    for row in taken
                ]

    def record(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Commit what became of messages that this sender had claimed."""
        if not outcomes:
            return
        ids = [outcome.delivery for outcome in outcomes]
        taken = [outcome for outcome in outcomes if outcome.state is DeliveryState.SUBMITTED]
        others = [outcome for outcome in outcomes if outcome.state is not DeliveryState.SUBMITTED]
        with self._database.write() as connection:
            if taken:
                connection.execute(
                    _SUBMIT.values(changed_at=now).where(delivery.c.owner == self._owner),
                    [{"row": one.delivery, "new_code": one.code, "new_reply": one.reply[:REPLY_KEPT]} for one in taken],
                )
            if others:
                claimed = sa.select(delivery.c.id, delivery.c.attempts).where(delivery.c.id.in_(ids))
                attempts = {row.id: row.attempts for row in connection.execute(claimed)}
                mine = (delivery.c.owner == self._owner, delivery.c.state == DeliveryState.SENDING)
                connection.execute(
                    _SETTLE.where(*mine),
                    [self._values(outcome, attempts.get(outcome.delivery, 1), now) for outcome in others],
                )
        self._unrecorded.difference_update(ids)
        if self._recorder is not None:
            self._recorder.forget(ids)

    def recover(self, now: datetime) -> int:
        """Settle what senders that died left in flight; returns how many rows. The living are left alone."""
        in_flight = (delivery.c.issue_id == self._pk, delivery.c.state == DeliveryState.SENDING)
        with self._database.read() as connection:
            owners = connection.scalars(sa.select(delivery.c.owner).where(*in_flight).distinct()).all()
        settled = 0
        for owner in owners:
            if owner == self._owner:
                continue
            with self._corpse(owner) as dead:
                if dead:
                    settled += self._settle_dead(in_flight, owner, now)
        return settled

    def counts(self) -> Mapping[str, int]:
        """How many deliveries of the issue stand in each state."""
        with self._database.read() as connection:
            return delivery_counts(connection, self._pk)

    def next_due(self) -> datetime | None:
        """When the first deferred recipient may be tried again, or None."""
        with self._database.read() as connection:
            due: datetime | None = connection.scalar(
                sa.select(sa.func.min(delivery.c.not_before)).where(
                    delivery.c.issue_id == self._pk, delivery.c.state == DeliveryState.DEFERRED
                )
            )
        return due

    def _due(self, now: datetime) -> sa.ColumnElement[bool]:
        return sa.or_(
            delivery.c.state == DeliveryState.QUEUED,
            sa.and_(delivery.c.state == DeliveryState.DEFERRED, delivery.c.not_before <= now),
        )

    def _values(self, outcome: Outcome, attempts: int, now: datetime) -> dict[str, object]:
        state, not_before = outcome.state, None
        if state is DeliveryState.DEFERRED:
            not_before = now + self._backoff(attempts)
            if not_before > self._give_up_at:
                state, not_before = DeliveryState.EXPIRED, None
        return {
            "row": outcome.delivery,
            "new_state": str(state),
            "new_code": outcome.code,
            "new_reply": outcome.reply[:REPLY_KEPT],
            # A message that never left has used no attempt.
            "new_attempts": attempts - 1 if state is DeliveryState.QUEUED else attempts,
            "new_not_before": not_before,
            "at": now,
        }

    @contextmanager
    def _corpse(self, owner: str | None) -> Iterator[bool]:
        if owner is None:
            yield True
            return
        with self._database.hold(_lock_name(owner)) as dead:
            yield dead

    def _settle_dead(self, in_flight: tuple[sa.ColumnElement[bool], ...], owner: str | None, now: datetime) -> int:
        """Settle the rows of a dead sender by its flight recorder; where there is none, all of them are in doubt."""
        flown = read_flight(self._flight(owner)) if owner else None
        with self._database.write() as connection:
            mine = delivery.c.owner == owner if owner else delivery.c.owner.is_(None)
            rows = connection.execute(
                sa.select(delivery.c.id, delivery.c.attempts).where(*in_flight, mine).with_for_update()
            ).all()
            if rows:
                connection.execute(
                    _SETTLE, [self._values(self._verdict(row.id, flown), row.attempts, now) for row in rows]
                )
        if owner:
            self._flight(owner).unlink(missing_ok=True)
        return len(rows)

    def _verdict(self, row: int, flown: Mapping[int, Flown] | None) -> Outcome:
        if flown is not None and row not in flown:
            return Outcome(row, DeliveryState.QUEUED)
        known = flown[row] if flown is not None else Flown(DeliveryState.UNKNOWN, None)
        if known.state is not DeliveryState.UNKNOWN:
            return Outcome(row, known.state, known.code, "answered before the sender died; its words are lost")
        if self._resend:
            return Outcome(row, DeliveryState.QUEUED)
        return Outcome(row, DeliveryState.UNKNOWN, None, "the sender died while the mail server had the message")

    def _flight(self, owner: str) -> Path:
        return self._flights / f"{owner}.flight"


# Nearly all outcomes are these: three values a row.
_SUBMIT = (
    sa.update(delivery)
    .where(delivery.c.id == sa.bindparam("row"), delivery.c.state == DeliveryState.SENDING)
    .values(
        state=DeliveryState.SUBMITTED,
        code=sa.bindparam("new_code"),
        reply=sa.bindparam("new_reply"),
        not_before=None,
        owner=None,
    )
)
_SETTLE = (
    sa.update(delivery)
    .where(delivery.c.id == sa.bindparam("row"))
    .values(
        state=sa.bindparam("new_state"),
        code=sa.bindparam("new_code"),
        reply=sa.bindparam("new_reply"),
        attempts=sa.bindparam("new_attempts"),
        not_before=sa.bindparam("new_not_before"),
        owner=None,
        changed_at=sa.bindparam("at"),
    )
)


def _lock_name(owner: str) -> str:
    return f"sender {owner}"
