"""The ledger of one issue for one sender: intents before the wire, outcomes after it, and the settling of the dead."""

from __future__ import annotations

import json
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.errors import StorageError
from newsletter.model import DeliveryState, IssueId, Outcome, Recipient, Window, provider_of
from newsletter.storage import courses, progress, windows
from newsletter.storage.database import Database, Hold
from newsletter.storage.journal import Journal
from newsletter.storage.keys import issue_pk
from newsletter.storage.progress import Moved
from newsletter.storage.recorder import FlightRecorder, Flown, abandoned, read_flight, sweep_drafts
from newsletter.storage.tables import delivery, intent

__all__ = ["IssueLedger", "is_alive"]

REPLY_KEPT = 500

Settled = defaultdict[DeliveryState, list[int]]
"""What became of deliveries that were in hand."""

Refused = Callable[[Connection, Sequence[tuple[int, str]], datetime], None]
"""Subscribers with the words of the refusal."""

StillWanted = Callable[[Connection, Sequence[int]], set[int]]


class IssueLedger:
    """The `Ledger` of one issue for one sender; a context manager that holds the sender's lock.

    `flights` is the folder of the flight recorders, `journal` the desk's. `wanted` says, inside the transaction that
    commits the intent, which subscribers may still be mailed. `backoff` gives the pause before a deferred message's
    next try; one that would come after `give_up_at`, or after this one message was tried for `give_up_after`, makes the
    delivery `expired`. Where nobody can know what became of
    a message, `resend` tries it again; without it that stays `unknown`. `refused` is told, inside the transaction that
    writes it down, whose messages the mail server refused for good.
    """

    def __init__(
        self,
        database: Database,
        issue_id: IssueId,
        *,
        flights: Path,
        journal: Journal,
        wanted: StillWanted,
        backoff: Callable[[int], timedelta],
        give_up_at: datetime,
        give_up_after: timedelta = timedelta.max,
        resend: bool = False,
        refused: Refused = lambda connection, refusals, now: None,
    ) -> None:
        self._database = database
        self._issue_id = issue_id
        self._flights = flights
        self._journal = journal.of(issue_id)
        self._recorder: FlightRecorder | None = None
        self.closed = False
        self._hold: Hold | None = None
        self._in_hand: set[int] = set()  # intents whose outcomes are not committed yet
        self._in_doubt = False  # a commit failed, and may stand all the same: with an intent that we never learnt of
        self._message_ids: progress.MessageIds | None = None
        self._wanted = wanted
        self._backoff = backoff
        self._give_up_at = give_up_at
        self._give_up_after = give_up_after
        self._resend = resend
        self._refused = refused
        self._owner = secrets.token_hex(12)
        self._locks = ExitStack()
        with database.read() as connection:
            self._pk = issue_pk(connection, issue_id)

    def __enter__(self) -> IssueLedger:
        self._hold = self._locks.enter_context(self._database.hold(_lock_name(self._owner)))
        assert self._hold, "a fresh random name cannot be taken"
        self._locks.enter_context(self._journal)
        self._sweep()
        self._recorder = FlightRecorder(self._flight(self._owner))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            self._recorder.close(keep=bool(self._in_hand) or self._in_doubt)
        self._locks.close()

    def leaving(self, delivery: int) -> None:
        """Note that the final dot of a message is about to be written; raises `StorageError` when it must not be."""
        if self._hold is not None and self._hold.lost:
            raise StorageError("the session with the database ended, so nothing more was sent; repeat the command")
        if self._recorder is not None:
            self._recorder.leaving(delivery)

    def answered(self, outcome: Outcome) -> None:
        """Note what the server said, before it is committed."""
        if self._recorder is not None:
            self._recorder.answered(outcome)

    def turn(
        self, now: datetime, *, carried: Window | None = None, outcomes: Sequence[Outcome] = (), claim: int = 0
    ) -> Window | None:
        """Commit at once what became of the window `carried` and the intent for up to `claim` due recipients.

        A delivery of the window that no outcome names never left. None when nothing is due or asked for.
        """
        moved: Moved = Counter()
        settled: Settled = defaultdict(list)
        reached = window = None
        try:
            with self._database.write() as connection:
                if carried is not None and self._close(connection, carried.intent, self._owner):
                    attempts = {one.delivery: one.attempts for one in carried.recipients}
                    self._settle(connection, attempts, outcomes, now, settled)
                if claim:
                    window, reached = self._claim(connection, claim, now, moved)
                taken = [one.delivery for one in window.recipients] if window is not None else []
                number = self._move(connection, moved, settled, reached, turn=bool(taken or settled))
                if settled and carried is not None:
                    self._count(connection, {one.delivery: one.email for one in carried.recipients}, settled, now)
            if taken or settled:
                self._journal.write(number, taken, settled)
        except BaseException:
            self._in_doubt = True
            raise
        if carried is not None:
            self._in_hand.discard(carried.intent)
            if self._recorder is not None:
                self._recorder.forget(one.delivery for one in carried.recipients)
        if window is not None:
            self._in_hand.add(window.intent)
        return window

    def recover(self, now: datetime) -> int:
        """Settle what senders that died left in flight; returns how many rows. The living are left alone.

        An intent of our own that a failed commit left behind is taken back: nothing of it ever left.
        """
        mine = intent.c.issue_id == self._pk
        with self._database.read() as connection:
            owners = connection.scalars(sa.select(intent.c.owner).where(mine).distinct()).all()
        settled = 0
        for owner in owners:
            if owner == self._owner:
                settled += self._settle_all(owner, {}, now) if self._in_doubt else 0
                continue
            flight = self._flight(owner)
            with self._database.hold(_lock_name(owner)) as free, abandoned(flight) as dead:
                if free and dead:
                    settled += self._settle_all(owner, read_flight(flight), now)
                    flight.unlink(missing_ok=True)
        return settled

    def _sweep(self) -> None:
        """Throw away the recorders of the dead that left nothing in hand, and their locks."""
        self._database.sweep_locks()
        sweep_drafts(self._flights)
        with self._database.read() as connection:
            owners = set(connection.scalars(sa.select(intent.c.owner).distinct()).all())
        for flight in self._flights.glob("*.flight"):
            if flight.stem not in owners:
                with abandoned(flight) as dead:
                    # Asked again under its lock: it may have claimed, and died, since.
                    if dead and not self._has_intent(flight.stem):
                        flight.unlink(missing_ok=True)

    def _has_intent(self, owner: str) -> bool:
        with self._database.read() as connection:
            return connection.scalar(sa.select(intent.c.id).where(intent.c.owner == owner).limit(1)) is not None

    def counts(self) -> Mapping[str, int]:
        """How many deliveries of the issue stand in each state; notes whether it is still to be sent."""
        with self._database.read() as connection:
            self.closed = not progress.is_sending(connection, self._pk)
            return progress.tally(connection, self._pk)

    def verdicts(self, most: int) -> Sequence[Outcome]:
        """The last outcomes since this send was begun or taken up, where enough came to nothing to be looked at."""
        bad = (DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.UNKNOWN)
        with self._database.read() as connection:
            counts = progress.tally(connection, self._pk)
            if sum(counts.get(state, 0) for state in bad) < most // 4:
                return ()
            rows = windows.last_settled(connection, self._pk, most)
        return [Outcome(row.id, DeliveryState(row.state), row.code, row.reply) for row in reversed(rows)]

    def ready(self, now: datetime, most: int) -> int:
        """How many recipients could be claimed at `now`, counted up to `most`."""
        with self._database.read() as connection:
            return windows.ready(connection, self._pk, progress.reached(connection, self._pk), now, most)

    def next_due(self) -> datetime | None:
        """When the first recipient that waits for a wave or a next try may be claimed, or None."""
        with self._database.read() as connection:
            return windows.next_due(connection, self._pk)

    # --- claiming ---

    def _claim(
        self, connection: Connection, limit: int, now: datetime, moved: Moved
    ) -> tuple[Window | None, int | None]:
        """The next window, and how far the audience is claimed by it; what is tried again goes before what is new."""
        reached, sending = progress.locked(connection, self._pk)
        self.closed = not sending
        while sending:
            rows = windows.due_again(connection, self._pk, now, limit)
            if not rows:
                rows = windows.never_tried(connection, self._pk, reached, limit)
                reached = rows[-1].subscriber_id if rows else windows.END
            if not rows:
                return None, reached
            wanted = self._wanted(connection, [row.subscriber_id for row in rows])
            # Without an address: erased, or of an issue so old that it was taken away.
            wanted -= {row.subscriber_id for row in rows if not row.email}
            taken = rows
            if len(wanted) < len(rows):
                taken = [row for row in rows if row.subscriber_id in wanted]
                self._cancel(connection, [row for row in rows if row.subscriber_id not in wanted], now, moved)
            if taken:
                return self._intend(connection, taken, now, moved), reached
        return None, None

    def _cancel(self, connection: Connection, gone: Sequence[Any], now: datetime, moved: Moved) -> None:
        words = "unsubscribed or suppressed after the freeze"
        values = {"state": DeliveryState.CANCELLED, "reply": words, "changed_at": now, "not_before": None}
        connection.execute(sa.update(delivery).where(delivery.c.id.in_([row.id for row in gone])).values(values))
        moved.subtract(DeliveryState(row.state) for row in gone)
        moved[DeliveryState.CANCELLED] += len(gone)

    def _intend(self, connection: Connection, taken: Sequence[Any], now: datetime, moved: Moved) -> Window:
        ids = self._message_ids = self._message_ids or progress.message_ids(connection, self._pk)
        assert ids is not None, "what is claimed was frozen"
        recipients, states, again = [], [], []
        for row, subscriber, email, name, edition, revision, message_id, state, attempts, not_before in taken:
            message_id = message_id or ids.of(subscriber)
            recipients.append(Recipient(row, subscriber, email, name, edition, message_id, revision, attempts + 1))
            states.append(state)
            if not_before is not None:
                again.append(row)
        if again:
            queued = sa.update(delivery).where(delivery.c.id.in_(again))
            connection.execute(queued.values(state=DeliveryState.QUEUED, not_before=windows.IN_HAND))
        for state, number in Counter(states).items():
            moved[DeliveryState(state)] -= number
        moved[DeliveryState.SENDING] += len(taken)
        held = json.dumps([one.delivery for one in recipients])
        number = connection.scalar(
            _INTEND, {"issue_id": self._pk, "owner": self._owner, "deliveries": held, "committed_at": now}
        )
        return Window(number, tuple(recipients))

    # --- settling ---

    def _close(self, connection: Connection, number: int, owner: str) -> bool:
        """Take back an intent; False when it is not, or no longer, that sender's."""
        return connection.execute(_CLOSE, {"number": number, "sender": owner}).rowcount == 1

    def _settle(
        self,
        connection: Connection,
        attempts: Mapping[int, int],
        outcomes: Sequence[Outcome],
        now: datetime,
        settled: Settled,
    ) -> None:
        """Write down what became of the deliveries in `attempts`; those that no outcome names never left."""
        known = {outcome.delivery: outcome for outcome in outcomes if outcome.delivery in attempts}
        for unsent in attempts.keys() - known.keys():
            known[unsent] = Outcome(unsent, DeliveryState.QUEUED)
        submitted: list[windows.Submitted] = []
        others: list[dict[str, Any]] = []
        for number, state, code, reply in known.values():
            if state is DeliveryState.SUBMITTED:
                submitted.append((number, code, reply[:REPLY_KEPT]))
            else:
                others.append(values := self._values(known[number], attempts[number], now))
                settled[values["state_"]].append(number)
        if submitted:
            settled[DeliveryState.SUBMITTED] += [number for number, _, _ in submitted]
        windows.submit(connection, submitted, now)
        windows.settle(connection, others)
        if words := {each.delivery: each.reply for each in known.values() if _is_refusal(each)}:
            theirs = sa.select(delivery.c.id, delivery.c.subscriber_id).where(delivery.c.id.in_(words))
            rows = connection.execute(theirs.order_by(delivery.c.id))
            self._refused(connection, [(row.subscriber_id, words[row.id]) for row in rows], now)

    def _move(
        self, connection: Connection, moved: Moved, settled: Settled, reached: int | None = None, *, turn: bool
    ) -> int:
        for state, numbers in settled.items():
            moved[state] += len(numbers)
            moved[DeliveryState.SENDING] -= len(numbers)
        return progress.move(connection, self._pk, moved, reached, turn=turn)

    def _values(self, outcome: Outcome, attempts: int, now: datetime) -> dict[str, Any]:
        state, not_before = outcome.state, None
        if state is DeliveryState.DEFERRED or (state is DeliveryState.UNKNOWN and self._resend):
            not_before = now + self._backoff(attempts)
            tried_for = sum((self._backoff(one) for one in range(1, attempts + 1)), timedelta())
            if not_before <= self._give_up_at and tried_for <= self._give_up_after:
                state = DeliveryState.DEFERRED
            else:
                not_before = None
                state = DeliveryState.EXPIRED if state is DeliveryState.DEFERRED else state
        elif state is DeliveryState.QUEUED:
            not_before = windows.AT_ONCE
        return {
            "row": outcome.delivery,
            "state_": state,
            "code_": outcome.code,
            "reply_": outcome.reply[:REPLY_KEPT],
            # A message that never left has used no attempt.
            "attempts_": attempts - 1 if state is DeliveryState.QUEUED else attempts,
            "not_before_": not_before,
            "at": now,
        }

    def _count(self, connection: Connection, addresses: Mapping[int, str], settled: Settled, now: datetime) -> None:
        outcomes: courses.Came = Counter()
        for state in settled.keys() & courses.OUTCOMES:
            each = Counter(provider_of(addresses[number]) for number in settled[state])
            outcomes.update({(state, provider): number for provider, number in each.items()})
        courses.came(connection, self._pk, outcomes, now)

    def _settle_all(self, owner: str, flown: Mapping[int, Flown] | None, now: datetime) -> int:
        """Settle the intents that nobody has in hand by a flight recorder; where there is none, all is in doubt."""
        settled: Settled = defaultdict(list)
        addresses: dict[int, str] = {}
        with self._database.write() as connection:
            those = intent.c.issue_id == self._pk, intent.c.owner == owner, intent.c.id.not_in(self._in_hand)
            for row in connection.execute(sa.select(intent).where(*those).with_for_update()).all():
                held = json.loads(row.deliveries)
                tried = sa.select(delivery.c.id, delivery.c.attempts, delivery.c.email)
                rows = connection.execute(tried.where(delivery.c.id.in_(held))).all()
                attempts = {each.id: each.attempts + 1 for each in rows}
                addresses |= {each.id: each.email for each in rows}
                outcomes = [self._verdict(number, flown) for number in held]
                if self._close(connection, row.id, owner):
                    self._settle(connection, attempts, outcomes, now, settled)
            number = self._move(connection, Counter(), settled, turn=bool(settled))
            self._count(connection, addresses, settled, now)
        if settled:
            self._journal.write(number, [], settled)
        return sum(map(len, settled.values()))

    def _verdict(self, row: int, flown: Mapping[int, Flown] | None) -> Outcome:
        if flown is not None and row not in flown:
            return Outcome(row, DeliveryState.QUEUED)
        known = flown[row] if flown is not None else Flown(DeliveryState.UNKNOWN, None)
        if known.state is not DeliveryState.UNKNOWN:
            return Outcome(row, known.state, known.code, "answered before the sender died; its words are lost")
        return Outcome(row, DeliveryState.UNKNOWN, None, "the sender died while the mail server had the message")

    def _flight(self, owner: str) -> Path:
        return self._flights / f"{owner}.flight"


_INTEND = sa.insert(intent).returning(intent.c.id)
_CLOSE = sa.delete(intent).where(intent.c.id == sa.bindparam("number"), intent.c.owner == sa.bindparam("sender"))


def is_alive(database: Database, owner: str) -> bool:
    """Whether the sender of that name still holds its lock."""
    with database.hold(_lock_name(owner)) as free:
        return not free


def _is_refusal(outcome: Outcome) -> bool:
    """By a mail server; what never came so far, as a message that is too long, has no code."""
    return outcome.state is DeliveryState.REJECTED and outcome.code is not None


def _lock_name(owner: str) -> str:
    return f"sender {owner}"
