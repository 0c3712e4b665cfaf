"""How long schedule.yaml takes: fifty newsletters read and checked, an unchanged file asked for, what is due next."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from newsletter.newsroom import Newsroom, desks

ROUNDS = 25
NEWSLETTERS = 50

HEAD = """\
version: 1
defaults:
  timezone: Asia/Singapore
  sender: {name: Asia AI Daily, address: daily@example.com, reply_to: desk@example.com}
  template: daily
  approval: {mode: manual, by: "06:45", on_timeout: wait, approvals: 1}
  lock: "06:30"
  catch_up: {within: 2h}
  deliver_by: "11:00"
  postal_address: 1 Example Street, Singapore
sources:
  techcrunch: {kind: feed, url: https://techcrunch.com/feed/, outlet: TechCrunch, section: AI News}
  desk: {kind: folder, path: inbox}
calendars:
  sg-holidays: {dates: [2026-08-10, 2026-12-25]}
newsletters:
"""
EACH = """\
  paper-{number}:
    title: Paper {number}
    at: "07:00"
    days: [mon, tue, wed, thu, fri]
    skip: [sg-holidays, 2026-06-01]
    countries: [CN, JP, KR, IN, SG, ID, VN]
    stories: {{since: last_issue, at_most: 7d, min: 3, on_few: wait, max: 12, per_country: 4, lead: 90m}}
    related: 3
    segment: {{frequency: daily}}
    delivery: {{local_time: false, spread: 10m}}
    languages: [en]
    editors: [desk{number}@example.com]
    approvers: [chief@example.com]
    quiet_hours: "22:00-06:00"
    archive: public
"""


def measure() -> Sequence[str]:
    """The rows of the page."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        desks.make_desk(desk)
        file = desk / "schedule.yaml"
        file.write_text(HEAD + "".join(EACH.format(number=number) for number in range(NEWSLETTERS)), encoding="utf-8")
        with Newsroom.open(desk, environ={}) as room:
            read = _milliseconds(room.in_force.read_file)
            unchanged = _milliseconds(lambda: room.plan)
            looked = _milliseconds(lambda: (room.in_force.forget(), room.plan))
            due = _milliseconds(lambda: room.timetable.upcoming(room.clock.now(), 10))
    return [
        "## Scheduling",
        "",
        f"{NEWSLETTERS} newsletters of 16 keys, {ROUNDS} rounds.",
        "",
        "| what | ms of a processor, median | bar |",
        "|---|---|---|",
        f"| the file read and checked | {read:.1f} | 100 |",
        f"| the plan asked for, file unchanged | {unchanged:.3f} | 2 |",
        f"| the same, with the look in the database every two seconds | {looked:.2f} | 2 |",
        f"| the next ten runs, with overlays | {due:.1f} | |",
    ]


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        taken.append((time.process_time() - before) * 1e3)
    return statistics.median(taken)
