"""Readers get an issue at its hour on their own clocks: in waves, each once, and nobody before it is due."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clock import Clock
from newsletter.model import DeliveryState, Issue, IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import ledgers, sending
from newsletter.newsroom.dispatch.waves import last_wave, waves_of
from newsletter.plan import Newsletter
from newsletter.plan.slots import first_instant
from newsletter.schedule import day

from ..schedule.scene import DAY, Remembering, approve, make_desk, serving

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
OWN = ", timezone: Asia/Singapore, delivery: {local_time: true}"
ASIA = IssueId("asia", DAY)
SEVEN = datetime(2026, 5, 26, 23, 0, tzinfo=UTC)
READERS = ("Asia/Singapore", "", "Asia/Tokyo", "Europe/Berlin", "Europe/London", "America/New_York", "Pacific/Niue")
"""Two get it at its hour with whoever is ahead; and four waves."""


def issue_of(zone: str, day_of: date, at: Any, due: datetime | None = None) -> tuple[Newsroom, Issue]:
    newsletter = cast(
        "Newsletter",
        SimpleNamespace(name="asia", at=at, timezone=ZoneInfo(zone), local_time=True),
    )
    due_at = due or first_instant(day_of, at, ZoneInfo(zone))
    room = SimpleNamespace(
        newsletter=lambda name: newsletter,
        plan=SimpleNamespace(newsletters={"asia": newsletter}),
        clock=Clock(due_at, anchor=0, unix=lambda: 0),
    )
    issue = Issue(id=IssueId("asia", day_of), state=IssueState.APPROVED, due_at=due_at)
    return cast("Newsroom", room), issue


@given(
    own=st.sampled_from(ZONES),
    readers=st.sampled_from(ZONES),
    day_of=st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    at=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
)
def test_every_wave_is_the_issues_hour_on_the_readers_clocks_and_never_before_it_is_due(
    own: str, readers: str, day_of: date, at: Any
) -> None:
    room, issue = issue_of(own, day_of, at)
    theirs = first_instant(day_of, at, ZoneInfo(readers))
    wave = waves_of(room, issue)(readers)
    assert wave == (theirs if theirs > issue.due_at else None)
    local = (wave or theirs).astimezone(ZoneInfo(readers))
    gap = local.replace(tzinfo=None) - datetime.combine(day_of, at)
    assert timedelta(0) <= gap <= timedelta(hours=1) or local.date() != day_of, "but for a spring gap, to the minute"
    assert (wave or issue.due_at) <= issue.due_at + last_wave(room, issue)


@given(readers=st.sampled_from(ZONES), hours=st.integers(-12, 12))
def test_an_issue_moved_to_another_hour_is_due_at_that_hour_everywhere(readers: str, hours: int) -> None:
    at = clock_time(12)
    room, issue = issue_of("Asia/Singapore", DAY, at, datetime(2026, 5, 27, 4, tzinfo=UTC) + timedelta(hours=hours))
    moved = issue.due_at.astimezone(ZoneInfo("Asia/Singapore"))
    theirs = first_instant(moved.date(), moved.time(), ZoneInfo(readers))
    assert waves_of(room, issue)(readers) == (theirs if theirs > issue.due_at else None)


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "../etc/passwd", "Asia", "\0"])
def test_who_has_no_zone_that_we_know_waits_for_nothing(zone: str | None) -> None:
    room, issue = issue_of("Pacific/Kiritimati", DAY, clock_time(7))
    assert waves_of(room, issue)(zone) is None


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Newsroom]:
    """A desk whose issue of today is approved, for two readers of each of seven zones."""
    environ = {"NEWSLETTER_DATABASE_URL": database_url}
    make_desk(tmp_path, environ, {"asia": 14}, OWN, lambda number: READERS[number % 7])
    with Newsroom.open(tmp_path, environ=environ) as room:
        at(room, SEVEN)
        approve(room, "asia")
        yield room


def at(room: Newsroom, now: datetime) -> None:
    room.clock = Clock(now, anchor=0, unix=lambda: 0)


def left(room: Newsroom) -> Counter[int]:
    """How many of each zone's two readers have their mail, by the zone's place."""
    mails = list(room.outbox.rglob("*.eml"))
    rows = room.deliveries.rows(ASIA, DeliveryState.SUBMITTED)
    gone = Counter(int(row.email.partition("@")[0].partition("-")[2]) % 7 for row in rows)
    assert len(mails) == gone.total()
    return gone


def test_a_day_of_waves(desk: Newsroom) -> None:
    books = sending.send(desk, ASIA)
    assert left(desk) == {0: 2, 1: 2, 2: 2}, "no zone, the newsletter's, and one ahead"
    assert (books.state, books.deliveries["queued"], books.balanced) == (IssueState.SENDING, 8, True)
    assert sending.deliveries_left(books), "so that `issue send` ends with 5"
    hours = [5, 6, 11, 18]  # UTC: Berlin and London in summer time, New York, Niue
    waves = [datetime(2026, 5, 27, hour, 0, tzinfo=UTC) for hour in hours]
    assert [(wave.at, wave.readers) for wave in desk.deliveries.waves(ASIA, SEVEN)] == [(wave, 2) for wave in waves]
    for place, wave in enumerate(waves):
        at(desk, wave - timedelta(seconds=1))
        assert day.due_issues(desk) == [], "nothing is done between two waves"
        assert day.next_waking(desk) == wave
        at(desk, wave)
        assert day.due_issues(desk) == [ASIA]
        desk.subscribers.unsubscribe("asia-6@example.com", "asia", wave)  # of the last wave
        books = sending.send(desk, ASIA)
        assert set(left(desk)) == set(range(4 + place))
    assert books.state is IssueState.SUBMITTED
    assert books.deliveries["cancelled"] == 1, "who leaves between the waves is left out"
    assert left(desk) == {**dict.fromkeys(range(6), 2), 6: 1}
    assert books.balanced


def test_the_deadline_counts_from_each_wave_and_expires_none_that_has_not_begun(desk: Newsroom) -> None:
    (desk.plan_file).write_text(
        desk.plan_file.read_text(encoding="utf-8").replace("postal_address", 'deliver_by: "11:00"\n  postal_address'),
        encoding="utf-8",
    )
    sending.send(desk, ASIA)
    at(desk, SEVEN + timedelta(hours=18, minutes=30))
    sending.send(desk, ASIA)
    counts = desk.deliveries.counts(ASIA)
    assert counts == {"submitted": 12, "queued": 2}
    issue = desk.issues.get(ASIA)
    assert ledgers.give_up_at(desk, issue) == datetime(2026, 5, 27, 11, tzinfo=UTC) + timedelta(hours=12)
    assert ledgers.give_up_after(desk, issue) == timedelta(hours=4)


def test_sent_late_by_hand_the_waves_gone_by_leave_with_it(desk: Newsroom) -> None:
    at(desk, SEVEN + timedelta(hours=8))  # seven has passed in London, and not yet in New York
    sending.send(desk, ASIA)
    assert set(left(desk)) == {0, 1, 2, 3, 4}
    assert [wave.readers for wave in desk.deliveries.waves(ASIA, desk.clock.now())] == [2, 2]


def test_the_next_wave_is_told(desk: Newsroom) -> None:
    sending.send(desk, ASIA)
    database = desk.settings.database_url
    told = newsletter(desk.desk, database, "2026-05-27T09:30:00Z", "issue", "status", str(ASIA))
    assert "= queued 4" not in told.stdout  # nobody has sent the waves of Berlin and London yet
    assert "next wave 2026-05-27 11:00 UTC: 2 readers" in told.stdout
    assert "then 2026-05-27 18:00 UTC: 2 readers" in told.stdout
    sent = newsletter(desk.desk, database, "2026-05-27T09:30:00Z", "issue", "send", str(ASIA))
    assert sent.returncode == 5
    assert "The next wave leaves at 2026-05-27 11:00 UTC" in sent.stdout


def newsletter(desk: Path, database: str, now: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"NEWSLETTER_DATABASE_URL": database, "NEWSLETTER_NOW": now}
    return subprocess.run(
        [sys.executable, "-m", "newsletter", "--desk", str(desk), *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )


@pytest.mark.parametrize("moment", ["in the first wave", "between the waves"])
def test_a_sender_killed_at_any_time_loses_no_wave_and_repeats_none(
    tmp_path: Path, database_url: str, moment: str
) -> None:
    server = Remembering(delay=0.003)
    with serving(server):
        environ = {"NEWSLETTER_DATABASE_URL": database_url, "NEWSLETTER_SMTP_URL": f"{server.url}?connections=2"}
        zones = ("Asia/Singapore", "America/New_York")
        make_desk(tmp_path, environ, {"asia": 100}, OWN, lambda number: zones[number % 2])
        with Newsroom.open(tmp_path, environ=environ) as room:
            at(room, SEVEN)
            approve(room, "asia")
            words = [sys.executable, "-m", "newsletter", "--desk", str(tmp_path), "issue", "send", str(ASIA), "--wait"]
            sender = subprocess.Popen(words, env=os.environ | environ | {"NEWSLETTER_NOW": SEVEN.isoformat()})
            while len(server.order) < (10 if moment == "in the first wave" else 50):
                time.sleep(0.01)
            if moment == "between the waves":
                while room.deliveries.counts(ASIA).get("submitted") != 50:
                    time.sleep(0.01)
            sender.send_signal(signal.SIGKILL)
            sender.wait()
            sending.send(room, ASIA)
            first = {email for email, number in server.taken.items() if number}
            at(room, SEVEN + timedelta(hours=12))
            books = sending.send(room, ASIA)
        doubts = books.doubts
        assert doubts <= 2, "what was leaving on two lines at that moment"
        assert all(int(email.partition("@")[0].partition("-")[2]) % 2 == 0 for email in first)
        assert max(server.taken.values()) == 1
        assert len(server.taken) >= 100 - doubts
        assert books.deliveries["submitted"] + doubts == 100
        assert books.balanced
