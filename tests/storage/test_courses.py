"""The course of a send: counted with each turn, by minute, kind and provider; on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.model import OTHERS, DeliveryState, Outcome, provider_of
from newsletter.storage import Courses, Database, Tally

from .test_storage import CRASH, ISSUE, NOW, frozen_issue, ledger

SUBMITTED, DEFERRED, REJECTED = DeliveryState.SUBMITTED, DeliveryState.DEFERRED, DeliveryState.REJECTED


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("a@gmail.com", "Google"),
        ("a@GoogleMail.com", "Google"),
        ("a@hotmail.co.uk", "Microsoft"),
        ("a@outlook.com", "Microsoft"),
        ("a@yahoo.com.sg", "Yahoo"),
        ("a@yahoo.co.jp", "Yahoo! JAPAN"),
        ("a@outlook.firm.example", OTHERS),
        ("a@yahoo.example", OTHERS),
        ("a@notgmail.com", OTHERS),
        ("", OTHERS),
    ],
)
def test_a_provider_is_known_by_its_domains(address: str, provider: str) -> None:
    assert provider_of(address) == provider


def test_each_outcome_is_counted_in_its_minute_also_what_came_to_another_end_later(
    database: Database, tmp_path: Path
) -> None:
    frozen_issue(database, 4)
    courses = Courses(database)
    assert courses.of(ISSUE) == []
    with ledger(database, tmp_path, gone=frozenset({4})) as sender:
        window = sender.turn(NOW, claim=10)
        assert window is not None
        states = (SUBMITTED, DEFERRED)  # of the third nothing left
        outcomes = [Outcome(each.delivery, state) for each, state in zip(window.recipients, states, strict=False)]
        sender.turn(NOW + timedelta(seconds=29), carried=window, outcomes=outcomes)
        later = NOW + timedelta(minutes=1, seconds=5)
        again = sender.turn(later + timedelta(seconds=30), claim=10)
        assert again is not None
        outcomes = [Outcome(each.delivery, SUBMITTED) for each in again.recipients]
        sender.turn(later + timedelta(seconds=40), carried=again, outcomes=outcomes)
    minute = timedelta(minutes=1)
    assert Counter(courses.of(ISSUE)) == Counter(
        [Tally(NOW, SUBMITTED, 1), Tally(NOW, DEFERRED, 1), Tally(NOW + minute, SUBMITTED, 2)]
    )
    assert courses.by_provider(ISSUE) == {OTHERS: {SUBMITTED: 3, DEFERRED: 1}}
    assert courses.since(NOW + minute, [SUBMITTED, REJECTED]) == [Tally(NOW + minute, SUBMITTED, 2)]


def test_what_the_dead_left_is_counted_when_it_is_settled(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    frozen_issue(database, 6)
    flights = tmp_path / "flights"
    subprocess.run([sys.executable, "-c", CRASH, database_url, str(flights)], check=False)
    with ledger(database, flights) as survivor:
        survivor.recover(NOW)
        survivor.recover(NOW)
    found = {tally.state: tally.number for tally in Courses(database).of(ISSUE)}
    assert found == {SUBMITTED: 1, DEFERRED: 1, REJECTED: 1, DeliveryState.UNKNOWN: 1}
