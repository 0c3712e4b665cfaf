"""The system's clock is put back by two hours and on by a day and more under a running desk (libfaketime)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.clock import Clock
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.ports import SourceState
from newsletter.schedule import day
from subscribers.signups import Terms

from ..conftest import system_tool

SCHEDULE = """\
version: 1
defaults:
  timezone: UTC
  days: [mon, tue, wed, thu, fri, sat, sun]
  sender: {name: Desk, address: daily@example.com}
  postal_address: 1 Example Street
  template: briefing
  countries: [CN]
  approval: {mode: auto}
sources:
  desk: {kind: folder, path: inbox}
newsletters:
  seven: {title: Seven, at: "07:00"}
"""
EARLY = """\
  early: {title: Early, at: "05:10"}
"""
# Python 3.11 sleeps until a time of the monotonic clock, which libfaketime 0.9.10 takes for one of its own
# (https://github.com/wolfcw/libfaketime/issues/426).
RUN = """\
import select, sys, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
from newsletter.cli import main
main()
"""
FIRST, SECOND = date(2026, 5, 27), date(2026, 5, 28)


class Desk:
    """A desk whose processes go by a clock that the test sets while they run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        desks.make_desk(folder)
        (folder / "schedule.yaml").write_text(SCHEDULE, encoding="utf-8")
        self.room = Newsroom.open(folder, environ={})
        self._offset = folder / "offset"
        self._running: list[subprocess.Popen[bytes]] = []

    def set_clock(self, wall: str) -> None:
        """Let it be that time (UTC) for every process, from now on."""
        seconds = datetime.fromisoformat(f"{wall}+00:00").timestamp() - time.time()
        draft = self.folder / "offset.new"
        draft.write_text(f"{seconds:+.3f}\n", encoding="utf-8")
        draft.rename(self._offset)

    def start(self, part: str, library: str) -> None:
        """`newsletter run --only PART` by that clock."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")} | {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with (self.folder / f"{part}.log").open("wb") as log:
            words = [sys.executable, "-c", RUN, "run", "--only", part]
            self._running.append(subprocess.Popen(words, cwd=self.folder, env=environ, stdout=log, stderr=log))

    def stop(self) -> list[int]:
        """Ask every process to end; their exit codes."""
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(20) for process in self._running]
        self._running.clear()
        return codes

    def story(self, number: int, published: str) -> None:
        document = {
            "source": "desk",
            "external_id": str(number),
            "url": f"https://example.com/{number}",
            "title": f"What happened the {number}th time",
            "outlet": "Wire",
            "country": "CN",
            "published_at": published,
        }
        draft = self.folder / "draft.json"
        draft.write_text(json.dumps(document), encoding="utf-8")
        draft.rename(self.folder / "inbox" / f"{number}.json")

    def state(self, name: str, day: date) -> IssueState | None:
        found = self.room.issues.find(IssueId(name, day))
        return found.state if found else None

    def until(self, name: str, day: date, state: IssueState = IssueState.SUBMITTED, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while self.state(name, day) is not state:
            logs = "".join(path.read_text() for path in self.folder.glob("*.log"))
            assert time.monotonic() < end, f"{name}/{day} is {self.state(name, day)}\n{logs}"
            time.sleep(0.05)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.stop()
    made.room.close()


@pytest.fixture(scope="session")
def faketime() -> str:
    """The library that shows a process another time."""
    tool = system_tool("faketime", "faketime")
    asked = subprocess.run([tool, "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True)
    return asked.stdout.strip()


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_clock_that_jumps_back_and_ahead_makes_no_second_issue_and_stops_nothing(desk: Desk, faketime: str) -> None:
    for number in range(3):
        desk.story(number, "2026-05-26T12:00:00+00:00")
    readers = desk.folder / "readers.csv"
    readers.write_text("email,status,consent_at\nr@example.com,confirmed,2026-01-01T00:00:00Z\n", encoding="utf-8")
    terms = Terms(known=frozenset({"seven", "early"}), newsletters=("seven", "early"), consent_source="test")
    desk.room.subscribers.import_file(readers, terms, datetime(2026, 1, 2, tzinfo=UTC))
    desk.set_clock("2026-05-27 06:59:58")
    desk.start("clock", faketime)
    desk.start("sender", faketime)
    desk.until("seven", FIRST)

    desk.story(10, "2026-05-27T04:00:00+00:00")
    desk.set_clock("2026-05-27 05:00:00")
    (desk.folder / "schedule.yaml").write_text(SCHEDULE + EARLY, encoding="utf-8")
    desk.until("early", FIRST, IssueState.APPROVED)
    desk.set_clock("2026-05-27 05:10:00")
    desk.until("early", FIRST)

    desk.story(3, "2026-05-27T12:00:00+00:00")
    desk.set_clock("2026-05-28 07:09:00")
    desk.until("seven", SECOND)
    desk.until("early", SECOND)

    assert desk.stop() == [0, 0]
    issues = desk.room.issues.list()
    assert Counter((issue.id.newsletter, issue.id.date) for issue in issues if issue.id.date >= FIRST) == Counter(
        (name, day) for name in ("seven", "early") for day in (FIRST, SECOND)
    )
    for issue in issues:
        books = desk.room.issues.books(issue.id)
        assert books.balanced
        assert books.deliveries["submitted"] == 1
    mails = [path.parent.relative_to(desk.folder / "outbox") for path in desk.folder.glob("outbox/*/*/*.eml")]
    assert len(mails) == len(set(mails)) == 4, "nobody got an issue twice"


def test_what_comes_in_after_a_clock_was_ahead_is_in_the_next_issue(desk: Desk) -> None:
    """A day ahead the next issue is built and sealed; the stories of the real day between are not lost by that."""

    def at(wall: str) -> None:
        moment = datetime.fromisoformat(f"{wall}+00:00").timestamp()
        desk.room.clock = Clock(unix=lambda: moment)
        day.tick(desk.room)

    desk.story(1, "2026-05-26T12:00:00+00:00")
    at("2026-05-28 05:30")
    at("2026-05-28 07:00")
    sending.send(desk.room, IssueId("seven", SECOND))
    at("2026-05-27 04:00")
    desk.story(2, "2026-05-27T11:00:00+00:00")
    desk.room.clock = at_noon = Clock(unix=lambda: datetime(2026, 5, 27, 12, tzinfo=UTC).timestamp())
    (polled,) = gathering.gather_all(desk.room, gathering.due_sources(desk.room, at_noon.now()))
    assert polled.gathered is not None
    assert polled.gathered.ingested.new == 1, "the source is asked, though it was asked later than now"
    at("2026-05-29 05:30")
    snapshot = desk.room.issues.get(IssueId("seven", date(2026, 5, 29))).snapshot
    assert snapshot is not None
    assert [placed.story.id for placed in snapshot.placed] == ["desk:2"]


def test_a_source_that_was_asked_by_a_clock_ahead_is_asked_again(desk: Desk) -> None:
    now = datetime(2026, 5, 27, 12, tzinfo=UTC)
    source = desk.room.plan.sources["desk"]

    def due(ahead: timedelta) -> bool:
        state = SourceState(polled_at=now + ahead, not_before=now + ahead, asked=source.url)
        desk.room.source_states.put("desk", state)
        return gathering.due_sources(desk.room, now) == [source]

    assert due(timedelta(hours=26))
    assert not due(timedelta(seconds=30)), "clocks of two hosts differ a little"
