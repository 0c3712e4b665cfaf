"""Progress is read from counts alone, whoever sends."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.newsroom.dispatch.watching import Meter


def test_rate_and_time_left_follow_the_last_ten_seconds() -> None:
    clock: Iterator[float] = iter([0, 5, 10, 15, 20, 25, 40])
    meter = Meter(lambda: next(clock))
    assert meter.read({"queued": 1000}).seconds is None, "nobody knows while nothing moves"
    assert meter.read({"queued": 500, "submitted": 500}).rate == 100
    meter.read({"queued": 400, "submitted": 590, "rejected": 10})
    meter.read({"queued": 390, "submitted": 600, "rejected": 10})
    slow = meter.read({"queued": 380, "submitted": 610, "rejected": 10})
    assert slow.rate == 2
    assert slow.seconds == 190
    assert slow.words == "2/s, 10 rejected"
    assert slow.as_json()["settled"] == 620
    assert meter.read({"queued": 300, "sending": 80, "submitted": 610, "rejected": 10}).rate == 1
    done = meter.read({"submitted": 990, "rejected": 10})
    assert done.seconds == 0
    assert done.settled == done.total == 1000
