"""Who goes first on a mail server that several senders share, of whatever process: the more urgent, while it works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.deliver import Pace
from newsletter.model import Lane
from newsletter.testing import MemoryLanes

NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)


class CountingLanes(MemoryLanes):
    """Counts what the database is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = self.changes = 0

    def find(self, name: str) -> Lane | None:
        self.looks += 1
        return super().find(name)

    def change(self, name: str, new: Lane, step: Callable[[Lane], Lane]) -> Lane:
        self.changes += 1
        return super().change(name, new, step)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize("limit", [None, 100])
def test_the_less_urgent_wait_while_the_urgent_takes_time(limit: float | None) -> None:
    lanes = MemoryLanes()
    usual, urgent = Pace(lanes, "relay", limit, 5), Pace(lanes, "relay", limit, 9)
    assert usual.reserve(10, NOW)[0] == 10
    for second in range(5):
        assert urgent.reserve(10, NOW + seconds(second))[0] == 10
        assert usual.gives_way(NOW + seconds(second + 1))
        assert not urgent.gives_way(NOW + seconds(second + 1))
    urgent.leave(NOW + seconds(5.5))
    assert not usual.gives_way(NOW + seconds(6)), "as soon as it has no more work"
    assert usual.reserve(10, NOW + seconds(6))[0] == 10


def test_on_a_limited_lane_nobody_takes_time_behind_its_back() -> None:
    lanes = MemoryLanes()
    usual, urgent = Pace(lanes, "relay", 100, 5), Pace(lanes, "relay", 100, 9)
    assert not usual.gives_way(NOW)
    urgent.reserve(25, NOW)
    taken = lanes.lanes["relay"].free_at
    assert usual.reserve(25, NOW) == (0, NOW), "though it looked a moment ago"
    assert lanes.lanes["relay"].free_at == taken


@pytest.mark.parametrize("limit", [None, 100])
def test_one_that_is_killed_holds_nobody_up_for_longer_than_its_word_is_good(limit: float | None) -> None:
    lanes = MemoryLanes()
    usual = Pace(lanes, "relay", limit, 5)
    Pace(lanes, "relay", limit, 9).reserve(10, NOW)
    assert usual.gives_way(NOW + seconds(2.9))
    assert not usual.gives_way(NOW + seconds(3.2))


def test_a_clock_that_was_hours_ahead_makes_nobody_urgent_for_hours() -> None:
    lanes = MemoryLanes()
    Pace(lanes, "relay", None, 9).reserve(10, NOW + timedelta(hours=2))
    assert not Pace(lanes, "relay", None, 5).gives_way(NOW)


def test_equals_never_wait_for_each_other_and_the_middle_waits_for_the_highest_only() -> None:
    lanes = MemoryLanes()
    low, middle, other, high = (Pace(lanes, "relay", None, priority) for priority in (1, 5, 5, 9))
    middle.reserve(10, NOW)
    assert not other.gives_way(NOW)
    assert low.gives_way(NOW)
    high.reserve(10, NOW)
    middle.reserve(10, NOW + seconds(1.5))
    assert lanes.lanes["relay"].urgent == 9, "a lower word does not drown a higher one"
    assert middle.gives_way(NOW + seconds(2.5))
    middle.reserve(10, NOW + seconds(4))
    assert lanes.lanes["relay"].urgent == 5


def test_one_that_is_spread_over_a_time_holds_nobody_up() -> None:
    lanes = MemoryLanes()
    Pace(lanes, "relay", None, 9, patient=True).reserve(10, NOW)
    assert lanes.lanes == {}
    Pace(lanes, "relay", 100, 9, patient=True).reserve(10, NOW)
    assert not Pace(lanes, "relay", 100, 5).gives_way(NOW)


def test_where_nothing_limits_the_relay_the_word_costs_a_commit_a_second_at_most() -> None:
    lanes = CountingLanes()
    senders = [Pace(lanes, "relay", None, 5) for _ in range(4)]
    for window in range(1000):
        for sender in senders:
            assert not sender.gives_way(NOW + seconds(window / 100))
            assert sender.reserve(200, NOW + seconds(window / 100)) == (200, NOW + seconds(window / 100))
    assert lanes.looks <= 4 * 11
    assert lanes.changes <= 4 * 11, "for eight hundred thousand messages"
