"""Subscribers in great numbers: a file of 100,000 imported, twice; of a million the readers of two countries frozen.

    python -m bench.subscribers DESK FILE

imports the file into the desk twice and prints `{"first": seconds, "busy": seconds of the processor, "second": seconds,
"changed": rows, "memory": MiB}` as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.listing import analyse, fill_readers, load, postgresql
from bench.million import memory
from newsletter.errors import NothingToDoError
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch.freezing import freeze
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from subscribers.signups import Terms

NEWSLETTER = "asia-ai-daily"
ROWS, MANY = 100_000, 1_000_000
COUNTRIES = "[VN, JP]"


def measure() -> Sequence[str]:
    """The rows of the page."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        work = Path(folder)
        imported = {rows: _imported(work / f"import{rows}", rows) for rows in (ROWS // 10, ROWS)}
        frozen = {
            "SQLite": _frozen(work / "lite", {}),
            "PostgreSQL": _frozen(work / "full", {"database_url": server}),
        }
    few, whole = imported.values()
    return [
        f"## Subscribers: {ROWS:,} imported; of {MANY:,} those of a country segment frozen",
        "",
        "| what | figure | bar |",
        "|---|---|---|",
        f"| {ROWS:,} rows imported, SQLite | {whole['first']:.1f} s, {whole['busy']:.1f} s of the processor | 20 s |",
        f"| the same file again | {whole['second']:.1f} s, {whole['changed']:.0f} changes | 0 changes |",
        f"| memory above start; with a tenth of the rows | {whole['memory']:.0f} MiB; {few['memory']:.0f} MiB | flat |",
        *(
            f"| {readers:,} readers of {COUNTRIES} frozen, {name} | {took:.1f} s, {busy:.1f} s of ours, {grown:.0f} MiB"
            f" | 5 s on SQLite, memory flat |"
            for name, (readers, took, busy, grown) in frozen.items()
        ),
        "",
        load(),
    ]


def _imported(desk: Path, rows: int) -> dict[str, float]:
    desks.make_sample_desk(desk)
    file = desk / "many.csv"
    countries = ("CN;JP", "", "VN", "KR;ID;SG", "IN")
    with file.open("w", encoding="utf-8") as written:
        written.write("email,name,newsletters,countries,frequency,timezone,status,consent_at,consent_source,city\n")
        stated = "daily,Asia/Singapore,confirmed,2026-01-01T00:00:00Z,bench"
        for number in range(rows):
            who = f"reader{number}@example{number % 400}.com,Reader {number},{NEWSLETTER}"
            written.write(f"{who},{countries[number % 5]},{stated},Town {number % 90}\n")
    words = [sys.executable, "-m", "bench.subscribers", str(desk), str(file)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(told))


def _frozen(desk: Path, flags: dict[str, str]) -> tuple[int, float, float, float]:
    """How many readers were frozen, the seconds from the order to the books, those of our processor's, and the MiB of
    memory that it took above what it began with."""
    desks.make_sample_desk(desk)
    plan = desk / "schedule.yaml"
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace("segment: {frequency: daily}", f"segment: {{country_any: {COUNTRIES}}}"))
    with Newsroom.open(desk, flags, environ={}) as room:
        desks.upgrade(room)
        desks.fill_with_samples(room)
        list(gathering.gather_all(room, gathering.polled_sources(room)))
        with room.database.write() as connection:
            fill_readers(connection, room.plan.newsletters[NEWSLETTER].countries)
        analyse(room)
        issue = issues.build(room, NEWSLETTER)
        issues.approve(room, issue.id, "bench")
        return _freeze(room, issue.id)


def _freeze(room: Newsroom, issue_id: IssueId) -> tuple[int, float, float, float]:
    issue, transport = room.issues.get(issue_id), room.transport(issue_id)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM begins anew: proc(5)
    start = memory("VmRSS")
    before, spent = time.perf_counter(), time.process_time()
    frozen = freeze(room, issue, transport, lambda: False)
    took, busy = time.perf_counter() - before, time.process_time() - spent
    if frozen.frozen_at is None:
        raise NothingToDoError(f"{issue_id} was not frozen")
    return sum(room.deliveries.counts(issue_id).values()), took, busy, memory("VmHWM") - start


def main() -> None:
    """The import, in a process of its own whose memory is watched."""
    desk, file = map(Path, sys.argv[1:])
    with Newsroom.open(desk, environ={}) as room:
        terms, now = Terms(known=frozenset(room.plan.newsletters)), room.clock.now()
        _ = room.subscribers
        start, taken, busy, changed = memory("VmRSS"), [], [], 0
        for _ in range(2):
            before, spent = time.perf_counter(), time.process_time()
            report = room.subscribers.import_file(file, terms, now)
            taken.append(time.perf_counter() - before)
            busy.append(time.process_time() - spent)
            changed = report.added + report.changed
    told = {"first": taken[0], "busy": busy[0], "second": taken[1], "changed": changed}
    print(json.dumps(told | {"memory": memory("VmHWM") - start}))


if __name__ == "__main__":
    main()
