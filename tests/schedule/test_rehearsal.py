"""Days rehearsed on a copy: told as they would have been, with nothing leaving and nothing left behind."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from newsletter import gather
from newsletter.cli import newsletter as command_line
from newsletter.clock import Clock
from newsletter.errors import InputError, NotFoundError, NothingToDoError
from newsletter.model import IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.issue import issues
from newsletter.schedule.rehearsal import rehearse
from subscribers.signups import Terms

SCHEDULE = """\
version: 1
defaults:
  timezone: Asia/Singapore
  days: [mon, tue, wed, thu, fri, sat, sun]
  sender: {{name: Asia, address: daily@example.com}}
  postal_address: 1 Example Street
  editors: [desk@example.com]
newsletters:
  asia:
    title: Asia
    at: "07:00"
    skip: [2026-05-28]
    countries: [CN, JP]
    approval: {{mode: {mode}, by: "06:45", on_timeout: {on_timeout}}}
    dead_man_url: http://127.0.0.1:{port}/dead-man
  china:
    title: China
    at: "08:00"
    countries: [CN]
    approval: {{mode: manual, approvals: 2}}
sources:
  desk: {{kind: folder, path: inbox}}
  far: {{kind: feed, url: "http://127.0.0.1:{port}/feed", outlet: Far, allow_private: true}}
"""
FIRST, LAST = date(2026, 5, 26), date(2026, 5, 29)


class Bell:
    """A port of this machine that counts who comes."""

    def __init__(self) -> None:
        self.rung = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.rung += 1
            caller.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def bell() -> Iterator[Bell]:
    made = Bell()
    yield made
    made.close()


@pytest.fixture
def room(tmp_path: Path, database_url: str, bell: Bell) -> Iterator[Newsroom]:
    """The desk on either database."""
    with opened_desk(tmp_path / "desk", database_url, bell) as opened:
        yield opened


@pytest.fixture
def plain(tmp_path: Path, bell: Bell) -> Iterator[Newsroom]:
    """The desk on SQLite: for what is the same on every database."""
    with opened_desk(tmp_path / "desk", f"sqlite:///{tmp_path / 'newsletter.db'}", bell) as opened:
        yield opened


@contextmanager
def opened_desk(desk: Path, database_url: str, bell: Bell) -> Iterator[Newsroom]:
    """A live desk with ten readers, three stories of each of three days, and everything that could tell somebody."""
    desks.make_desk(desk)
    schedule(desk, bell)
    environ = {
        "NEWSLETTER_DATABASE_URL": database_url,
        "NEWSLETTER_SMTP_URL": f"smtp://127.0.0.1:{bell.port}",
        "NEWSLETTER_ALERT_URL": f"http://127.0.0.1:{bell.port}/alert",
        "NEWSLETTER_SUMMARY_URL": f"http://127.0.0.1:{bell.port}/v1",
        "NEWSLETTER_LIVE": "true",
    }
    with Newsroom.open(desk, environ=environ) as opened:
        desks.upgrade(opened)
        for number, gathered in enumerate(("2026-05-25 20:00", "2026-05-26 20:00", "2026-05-28 20:00")):
            bring(opened, gathered, *(f"{number}-{country}" for country in ("CN", "JP", "KR")))
        file = desk / "readers.csv"
        rows = [f"r{n}@example.com,{['CN', 'JP', ''][n % 3]},confirmed,2026-01-01T00:00:00Z" for n in range(10)]
        file.write_text("\n".join(["email,countries,status,consent_at", *rows]), encoding="utf-8")
        for name in ("asia", "china"):
            terms = Terms(known=frozenset({"asia", "china"}), newsletters=(name,), consent_source="test")
            opened.subscribers.import_file(file, terms, moment("2026-05-01 12:00"))
        yield opened


def schedule(desk: Path, bell: Bell, mode: str = "manual", on_timeout: str = "wait") -> None:
    text = SCHEDULE.format(port=bell.port, mode=mode, on_timeout=on_timeout)
    (desk / "schedule.yaml").write_text(text, encoding="utf-8")


def moment(wall: str) -> datetime:
    """A time of Singapore's clocks."""
    return datetime.fromisoformat(f"{wall}+08:00").astimezone(UTC)


def bring(room: Newsroom, gathered: str, *names: str, **more: object) -> None:
    """Stories that came in at that time of Singapore's; each is named `WHATEVER-COUNTRY`."""
    now = moment(gathered)
    documents = [
        {
            "source": "desk",
            "external_id": name,
            "url": f"https://example.com/{name}",
            "title": f"What {name} said to everybody {hashlib.sha256(name.encode()).hexdigest()[:12]}",
            "outlet": "Wire",
            "country": name.rpartition("-")[2],
            "summary": "What happened.",
            "published_at": (now - timedelta(hours=1)).isoformat(),
            **more,
        }
        for name in names
    ]
    stories, refused = gather.read_story_file(json.dumps(documents).encode(), "some.json", None, now)
    assert not refused
    room.stories.ingest(stories, now)


def states(room: Newsroom, name: str = "asia", approve: bool = False) -> Mapping[int, tuple[str, str]]:
    """State and reason of each day of a rehearsal."""
    told = rehearse(room, [name], FIRST, LAST, approve=approve)
    return {issue.id.date.day: (str(issue.state), issue.reason) for issue in told.issues}


def all_of(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its content's hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(url: str) -> dict[str, str]:
    """Every row of every table of a PostgreSQL database."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name: str(connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall()) for (name,) in names}


def test_days_are_told_as_they_would_have_been_and_the_desk_stays_as_it_was(
    room: Newsroom, database_url: str, bell: Bell
) -> None:
    room.close()
    before = all_of(room.desk), {} if room.database.is_sqlite else rows_of(database_url)
    room.close()
    seen: list[tuple[int, int]] = []
    told = rehearse(room, ["asia", "china"], FIRST, LAST, approve=True, progress=lambda *done: seen.append(done))
    room.close()
    assert (all_of(room.desk), {} if room.database.is_sqlite else rows_of(database_url)) == before
    assert bell.rung == 0, "no source was asked, no mail, alert or dead-man call left"
    assert [(str(issue.id), str(issue.state)) for issue in told.issues] == [
        ("asia/2026-05-26", "submitted"),
        ("china/2026-05-26", "submitted"),
        ("asia/2026-05-27", "submitted"),
        ("china/2026-05-27", "submitted"),
        ("asia/2026-05-28", "skipped"),
        ("china/2026-05-28", "waiting"),
        ("asia/2026-05-29", "submitted"),
        ("china/2026-05-29", "submitted"),
    ]
    first = told.issues[0]
    assert first.stories == {"CN": 1, "JP": 1}
    assert (first.readers, first.sent, first.excluded) == (10, 10, {})
    assert first.built_at == moment("2026-05-26 05:30")
    assert told.issues[1].excluded == {"no_stories": 3}, "who wants Japan alone gets nothing from China"
    assert told.issues[4].reason == "2026-05-28"
    assert told.issues[5].reason == "no story for it yet"
    assert told.totals["sent"] == 3 * 10 + 3 * 7
    assert seen[-1] == (8, 8)


def test_what_nobody_approves_goes_the_way_the_schedule_says(plain: Newsroom, bell: Bell) -> None:
    waits = ("waiting", "not approved by 06:45")
    assert states(plain) == {26: waits, 27: waits, 28: ("skipped", "2026-05-28"), 29: waits}
    told = rehearse(plain, ["asia"], FIRST, LAST)
    assert [issue.deadline_missed for issue in told.issues] == [True, True, False, True]
    assert [issue.readers for issue in told.issues] == [10, 10, 0, 10], "as the drafts stand"
    assert told.totals["sent"] == 0
    schedule(plain.desk, bell, on_timeout="skip")
    assert states(plain)[26] == ("skipped", "not approved by 06:45")
    schedule(plain.desk, bell, on_timeout="send")
    assert states(plain)[26] == ("submitted", "")
    schedule(plain.desk, bell, mode="auto")
    assert states(plain)[29] == ("submitted", "")


def test_a_story_is_known_when_the_desk_got_it_and_not_before(plain: Newsroom) -> None:
    bring(plain, "2026-05-27 06:15", "between-CN")
    bring(plain, "2026-05-26 21:00", "embargoed-CN", embargo=moment("2026-05-27 06:30").isoformat())
    told = rehearse(plain, ["asia"], FIRST, LAST, approve=True)
    carried = {issue.id.date.day: issue.stories for issue in told.issues}
    assert carried[27] == {"CN": 2, "JP": 1}, "the embargo ends before the issue is due"
    assert carried[29] == {"CN": 2, "JP": 1}, "what came between draft and mail is in the next one"


def test_days_that_were_are_rehearsed_as_if_they_had_not_been(room: Newsroom) -> None:
    room.settings = replace(room.settings, smtp_url=None, live=False)
    room.clock = Clock(moment("2026-05-27 05:30"), anchor=0, unix=lambda: 0)
    real = issues.build(room, "asia", date(2026, 5, 27))
    issues.approve(room, real.id, "chief")
    sending.send(room, real.id)
    assert room.issues.get(real.id).state is IssueState.SUBMITTED
    told = rehearse(room, ["asia"], date(2026, 5, 27), date(2026, 5, 27))
    (again,) = told.issues
    assert real.snapshot is not None
    assert again.stories == {section.country: len(section.stories) for section in real.snapshot.sections}
    assert (again.state, again.sent) == (IssueState.WAITING, 0)
    assert room.issues.books(real.id).deliveries["submitted"] == 10, "and the real one is as it was"
    after = rehearse(room, ["asia"], date(2026, 5, 29), date(2026, 5, 29), approve=True).issues[0]
    assert after.stories == {"CN": 1, "JP": 1}, "what was sent before is not carried again"


def test_days_without_any_story_are_said_to_be(plain: Newsroom) -> None:
    told = rehearse(plain, ["asia"], date(2027, 1, 4), date(2027, 1, 5), approve=True)
    assert [str(issue.state) for issue in told.issues] == ["waiting", "waiting"]
    (remark,) = told.remarks
    assert remark == (
        "No stories are known for 2027-01-04 to 2027-01-05: the desk has none from after 2026-05-28 12:00 UTC."
        " Rehearse dates from 2026-05-25 to 2026-05-28 to see what they carry."
    )
    with pytest.raises(InputError, match="--from is the first day"):
        rehearse(plain, ["asia"], LAST, FIRST)
    with pytest.raises(NotFoundError, match="did you mean 'asia'"):
        rehearse(plain, ["asai"], FIRST, LAST)
    (plain.desk / "schedule.yaml").write_text(
        plain.plan_file.read_text(encoding="utf-8").replace("days: [mon, tue, wed, thu, fri, sat, sun]", "days: [mon]"),
        encoding="utf-8",
    )
    with pytest.raises(NothingToDoError, match="schedule next"):
        rehearse(plain, ["asia"], FIRST, LAST)


def test_the_command_prints_each_day_and_the_totals(plain: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", plain.settings.database_url)
    words = ["--desk", str(plain.desk), "rehearse", "all", "--from", "2026-05-26", "--to", "2026-05-29", "--approve"]
    plain = CliRunner().invoke(command_line, words, standalone_mode=False)
    assert plain.exception is None
    assert "Tue 2026-05-26 07:00  asia" in plain.stdout
    assert "8 issues: 6 submitted, 1 skipped, 1 waiting; 51 messages would have been sent" in plain.stdout
    document = json.loads(CliRunner().invoke(command_line, [*words, "--json"], standalone_mode=False).stdout)
    assert document["totals"]["sent"] == 51
    assert document["issues"][0] == {
        "issue": "asia/2026-05-26",
        "newsletter": "asia",
        "date": "2026-05-26",
        "due_at": "2026-05-25T23:00:00+00:00",
        "built_at": "2026-05-25T21:30:00+00:00",
        "state": "submitted",
        "reason": "",
        "stories": {"CN": 1, "JP": 1},
        "editions": 3,
        "readers": 10,
        "sent": 10,
        "excluded": {},
        "deadline_missed": False,
    }
