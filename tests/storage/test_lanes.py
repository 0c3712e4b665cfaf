"""A lane is one for all senders, whichever database holds it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from newsletter.deliver import Pace
from newsletter.model import Lane
from newsletter.storage import Database, LaneRows

NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)


def test_what_one_sender_takes_no_other_gets(database: Database) -> None:
    """Eight senders ask ten times each, all at once: eighty stretches of a quarter of a second, none of them twice."""

    def ask(_: int) -> list[datetime]:
        pace = Pace(LaneRows(database), "relay", 100)
        return [pace.reserve(200, NOW)[1] for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        starts = sorted(start for found in pool.map(ask, range(8)) for start in found)
    assert starts == [NOW + number * timedelta(seconds=0.25) for number in range(80)]


def test_a_lane_comes_back_as_it_was_put(database: Database) -> None:
    lanes, slowed = LaneRows(database), Lane(free_at=NOW, rate=12.5, slowed_from=25, changed_at=NOW)
    assert lanes.find("relay") is None
    assert lanes.change("relay", Lane(free_at=NOW), lambda lane: slowed) == slowed
    assert lanes.find("relay") == slowed
    assert lanes.change("relay", Lane(free_at=NOW), lambda lane: lane) == slowed
    assert lanes.find("another") is None
