"""Any number of schedulers on one database: each slot becomes one issue, whoever of them dies in the middle."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from datetime import UTC, date, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from newsletter.clock import Clock
from newsletter.model import IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.schedule import day

SLOTS = 1_500
NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)
HEAD = """\
version: 1
defaults:
  timezone: UTC
  sender: {name: Desk, address: daily@example.com}
  postal_address: 1 Example Street
  template: briefing
sources:
  desk: {kind: folder, path: inbox}
newsletters:
"""
_FORKS = multiprocessing.get_context("forkserver")


def newsletters(number: int) -> str:
    """So many newsletters, all due at seven."""
    return "".join(
        f'  n{place}: {{title: N{place}, at: "07:00", days: [wed], countries: [CN], stories: {{min: 1}}}}\n'
        for place in range(number)
    )


def schedule(folder: str, environ: dict[str, str]) -> None:
    """One scheduler: tick after tick, until every issue has been built."""
    with Newsroom.open(Path(folder), environ=environ) as room:
        room.clock = Clock(NOW, anchor=0, unix=lambda: 0)
        while len(room.issues.in_state(IssueState.WAITING)) < SLOTS:
            day.tick(room)


@pytest.mark.timeout(600)
def test_four_schedulers_make_fifteen_hundred_issues_once_though_one_is_killed(
    tmp_path: Path, database_url: str
) -> None:
    desks.make_desk(tmp_path)
    (tmp_path / "schedule.yaml").write_text(HEAD + newsletters(SLOTS), encoding="utf-8")
    environ = {"NEWSLETTER_DATABASE_URL": database_url}
    with Newsroom.open(tmp_path, environ=environ) as room:
        desks.upgrade(room)
        schedulers = [started(tmp_path, environ) for _ in range(4)]
        while not 100 < len(room.issues.in_state(IssueState.WAITING)) < SLOTS:
            time.sleep(0.05)
        schedulers[2].kill()
        for scheduler in schedulers:
            scheduler.join()
        assert [scheduler.exitcode for scheduler in schedulers] == [0, 0, -9, 0]
        issues = room.issues.in_state(*IssueState)
        assert Counter(issue.id.newsletter for issue in issues) == Counter(f"n{place}" for place in range(SLOTS))
        assert {(issue.id.date, issue.id.number, issue.state) for issue in issues} == {
            (date(2026, 5, 27), 1, IssueState.WAITING)
        }
        assert all(issue.reason for issue in issues)
        begun = Counter(step.before for issue in issues for step in room.issues.history(issue.id))
        assert begun[None] == SLOTS, "and each was planned once"


def started(folder: Path, environ: dict[str, str]) -> BaseProcess:
    """A scheduler in a process of its own."""
    process = _FORKS.Process(target=schedule, args=(str(folder), environ), daemon=True)
    process.start()
    return process
