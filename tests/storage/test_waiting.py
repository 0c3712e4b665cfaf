"""Readers that wait for an hour: claimed by one sender, once, and not before; however the waves overlap."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.model import DeliveryState, IssueState, Outcome, Window
from newsletter.storage import Database, Deliveries, IssueLedger, Issues, Seals, Sends

from ..conftest import audience_of
from .test_storage import ISSUE, NOW, check, ledger, snapshot, story

READERS = 60


def freeze(database: Database, waves: dict[int, timedelta]) -> None:
    """An issue for sixty readers, some of whom wait for so long."""
    issues = Issues(database)
    issues.plan(ISSUE, NOW, NOW, "clock")
    issues.store_draft(ISSUE, snapshot(story(1)), IssueState.REVIEW, window_end=NOW, now=NOW, who="clock")
    Seals(database).seal(ISSUE, 1, [], "chief@example.com", NOW)
    emails = [f"r{number}@example.com" for number in range(1, READERS + 1)]
    audience = audience_of(*emails, waves={number: NOW + wait for number, wait in waves.items()})
    with database.write() as connection:
        Sends(database).freeze(
            connection,
            ISSUE,
            1,
            audience,
            excluded={},
            now=NOW,
            message_seed="5eed",
            message_domain="example.com",
        )


@pytest.mark.parametrize("seed", range(6))
def test_each_is_claimed_once_and_not_before_its_wave(database: Database, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    waiting = [number for number in range(1, READERS + 1) if chance.random() < 0.7]
    waves = {number: timedelta(minutes=chance.randint(0, 20)) for number in waiting}
    freeze(database, waves)
    claimed: Counter[int] = Counter()
    tried: Counter[int] = Counter()
    with ExitStack() as open_ledgers:
        senders = [open_ledgers.enter_context(ledger(database, tmp_path)) for _ in range(3)]
        hands: dict[IssueLedger, Window | None] = dict.fromkeys(senders)
        now = NOW
        for _ in range(400):
            now += timedelta(seconds=chance.randint(0, 20))
            sender = chance.choice(senders)
            carried, outcomes = hands[sender], []
            for one in carried.recipients if carried else ():
                if chance.random() < 0.7:
                    outcomes.append(Outcome(one.delivery, DeliveryState.SUBMITTED, 250, "ok"))
                    claimed[one.subscriber] += 1
            ready = sender.ready(now, 5)
            window = sender.turn(now, carried=carried, outcomes=outcomes, claim=chance.randint(1, 5))
            assert window is not None or carried is not None or not ready, "what is ready can be claimed"
            hands[sender] = window
            for one in window.recipients if window else ():
                tried[one.subscriber] += 1
                assert now >= NOW + waves.get(one.subscriber, timedelta(0)), "not before its wave"
                assert not any(
                    one.subscriber in {other.subscriber for other in held.recipients}
                    for owner, held in hands.items()
                    if held is not None and owner is not sender
                ), "somebody else has it in hand"
            check(database)
            if claimed.total() == READERS and not any(hands.values()):
                break
        assert claimed == dict.fromkeys(range(1, READERS + 1), 1)
        assert senders[0].next_due() is None
        assert senders[0].ready(now, 5) == 0


def test_what_the_dead_had_of_a_wave_is_settled_and_tried_again(database: Database, tmp_path: Path) -> None:
    freeze(database, {number: timedelta(hours=1) for number in range(1, READERS + 1, 2)})
    later = NOW + timedelta(hours=1)
    with ExitStack() as dying:
        dead = dying.enter_context(ledger(database, tmp_path))
        window = dead.turn(later, claim=5)
        assert window is not None
        assert [one.subscriber for one in window.recipients] == [1, 3, 5, 7, 9], "a wave goes first"
        dead.leaving(window.recipients[0].delivery)
        dead.answered(Outcome(window.recipients[0].delivery, DeliveryState.SUBMITTED, 250, "ok"))
        dead.leaving(window.recipients[1].delivery)
        dying.pop_all()  # nothing is closed in order, as by a kill
        assert dead._recorder is not None
        dead._recorder.close(keep=True)
        dead._locks.close()
    with ledger(database, tmp_path) as heir:
        assert heir.recover(later) == 5
        assert heir.counts() == {"submitted": 1, "unknown": 1, "queued": 58}
        again = heir.turn(later, claim=3)
        assert again is not None
        assert [one.subscriber for one in again.recipients][-1:] != [1]
        assert {1, 3}.isdisjoint(one.subscriber for one in again.recipients)
    check(database)


def test_a_message_is_tried_for_so_long_from_its_own_wave(database: Database, tmp_path: Path) -> None:
    """One minute, two, three between its tries; the wave of an hour later has as many as the first."""
    freeze(database, {number: timedelta(hours=5) for number in range(3, READERS + 1)} | {2: timedelta(hours=1)})
    for begin, subscriber in ((NOW, 1), (NOW + timedelta(hours=1), 2)):
        now, tries = begin, 0
        with ledger(
            database, tmp_path, give_up_at=NOW + timedelta(days=1), give_up_after=timedelta(minutes=6)
        ) as sender:
            window = sender.turn(now, claim=1)
            while window is not None:
                tries += 1
                assert [one.subscriber for one in window.recipients] == [subscriber]
                outcome = Outcome(window.recipients[0].delivery, DeliveryState.DEFERRED, 451, "later")
                sender.turn(now, carried=window, outcomes=[outcome])
                now += timedelta(minutes=tries)
                window = sender.turn(now, claim=1)
        assert tries == 4
    assert Deliveries(database).counts(ISSUE) == {"expired": 2, "queued": READERS - 2}


def test_the_waves_to_come_are_counted(database: Database) -> None:
    freeze(database, {1: timedelta(hours=1), 2: timedelta(hours=1), 5: timedelta(hours=3)})
    deliveries = Deliveries(database)
    assert [(wave.at - NOW, wave.readers) for wave in deliveries.waves(ISSUE, NOW)] == [
        (timedelta(hours=1), 2),
        (timedelta(hours=3), 1),
    ]
    assert deliveries.next_due(ISSUE) == NOW + timedelta(hours=1)
    assert [wave.readers for wave in deliveries.waves(ISSUE, NOW + timedelta(hours=1))] == [1]
    assert deliveries.counts(ISSUE) == {"queued": READERS}
