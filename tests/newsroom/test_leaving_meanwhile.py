"""Who unsubscribes between the freeze and the intent gets nothing, at whatever moment: round by round, one reader each.

`NEWSLETTER_RACES` is how many rounds are run on each database.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.model import DeliveryState, IssueId, Outcome, Recipient, Window
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import ledgers
from newsletter.newsroom.dispatch.freezing import freeze
from newsletter.newsroom.readership import readers
from newsletter.storage import IssueLedger
from newsletter.storage.keys import issue_pk
from newsletter.storage.tables import delivery
from newsletter.tokens import Purpose

from ..desks import approved_desk, readers_of

ROUNDS = int(os.environ.get("NEWSLETTER_RACES", "100"))
LONGEST = 0.008
"""Seconds that either side may wait behind the barrier: about as long as a turn takes."""


@pytest.fixture
def frozen(database_url: str, tmp_path: Path) -> Iterator[tuple[Newsroom, IssueId]]:
    environ = {"NEWSLETTER_DATABASE_URL": database_url, "NEWSLETTER_SECRET_KEY": "races"}
    issue_id = approved_desk(tmp_path / "desk", environ, readers_of(2 * ROUNDS))  # who leaves makes room
    with Newsroom.open(tmp_path / "desk", environ=environ) as room:
        freeze(room, room.issues.get(issue_id), room.transport(issue_id), lambda: False)
        yield room, issue_id


def queue(room: Newsroom, issue_id: IssueId) -> list[Recipient]:
    """The recipients, in the order in which they are claimed."""
    row = delivery.c
    with room.database.read() as connection:
        mine = sa.select(row.id, row.subscriber_id, row.email, row.edition).order_by(row.subscriber_id)
        found = connection.execute(mine.where(row.issue_id == issue_pk(connection, issue_id)))
        return [Recipient(each.id, each.subscriber_id, each.email, "", each.edition, "") for each in found]


class Race:
    """One reader against one sender. `answered` is set when the reader has been told that they are out."""

    def __init__(self, room: Newsroom, issue_id: IssueId) -> None:
        self.room, self.issue_id = room, issue_id
        self.barrier = threading.Barrier(2, timeout=30)
        self.answered = threading.Event()
        self.broken: list[str] = []
        self.intended = self.committing = False
        self.racing = 0
        self.sender = threading.current_thread()
        self.random = random.Random(8)

    def leave(self, reader: Recipient, wait: float) -> None:
        link = readers.personal(self.room, self.issue_id, reader)["unsubscribe"]
        found = readers.reader_of(self.room, Purpose.UNSUBSCRIBE, link.rpartition("/")[2])
        assert found is not None
        self.barrier.wait()
        time.sleep(wait)
        readers.unsubscribe(self.room, found, "one-click")
        self.answered.set()

    def wanted(self, connection: Connection, ids: Sequence[int]) -> set[int]:
        """The real question, with a pause behind it for whoever would slip in."""
        found = ledgers.still_wanted(connection, self.issue_id.newsletter, ids)
        self.intended |= self.racing in found
        self.committing |= self.racing in found
        time.sleep(self.random.uniform(0, LONGEST / 4))
        return found

    def commits(self, _connection: Connection) -> None:
        if threading.current_thread() is not self.sender:
            return
        committing, self.committing = self.committing, False
        if committing and self.answered.is_set():
            self.broken.append("an intent was committed for somebody who had been told that they are out")

    def run(self, ledger: IssueLedger, reader: Recipient) -> Window | None:
        """The sender's turn for that reader, who leaves meanwhile."""
        self.answered.clear()
        self.intended, self.racing = False, reader.subscriber
        leaving = threading.Thread(target=self.leave, args=(reader, self.random.uniform(0, LONGEST)))
        leaving.start()
        self.barrier.wait()
        time.sleep(self.random.uniform(0, LONGEST))
        before = self.answered.is_set()
        window = ledger.turn(self.room.clock.now(), claim=1)
        leaving.join()
        if before and self.intended:
            self.broken.append("somebody who had left before the turn is in it")
        return window


def test_an_unsubscribe_at_any_moment_before_the_intent_is_honoured(
    frozen: tuple[Newsroom, IssueId], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, issue_id = frozen
    race = Race(room, issue_id)
    monkeypatch.setattr(ledgers, "_still_wanted", lambda *_: race.wanted)
    sa.event.listen(room.database.engine, "commit", race.commits)
    rows = queue(room, issue_id)
    carried = {row.delivery: False for row in rows}
    left = intended = 0
    with ledgers.open_ledger(room, room.issues.get(issue_id), until=room.clock.now() + timedelta(hours=4)) as ledger:
        for reader in rows:
            if left + intended == ROUNDS:
                break
            if carried[reader.delivery]:
                continue  # taken in the turn of somebody who left
            window = race.run(ledger, reader)
            assert race.broken == []
            mailed = [each.delivery for each in window.recipients] if window else []
            assert (reader.delivery in mailed) == race.intended
            left, intended = left + (not race.intended), intended + race.intended
            carried |= dict.fromkeys(mailed, True)
            submitted = [Outcome(each, DeliveryState.SUBMITTED) for each in mailed]
            ledger.turn(room.clock.now(), carried=window, outcomes=submitted)
    books = room.issues.books(issue_id)
    print(f"{left + intended} rounds: {left} left first, {intended} were intended first")
    assert left + intended == ROUNDS
    assert books.balanced
    assert (books.deliveries["cancelled"], books.deliveries["submitted"]) == (left, sum(carried.values()))
    assert min(left, intended) > ROUNDS // 20, "both orders were raced"
