"""A whole `issue send` (freeze, intents, messages, outcomes) against Postfix's C load generator, on one smtp-sink."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.desks import approved_desk, copied
from tests.servers import free_port, listening

CONNECTIONS = 16
CHILD = """
import json, resource, sys, time
from pathlib import Path
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
desk, issue, url = sys.argv[1:]
with Newsroom.open(Path(desk), environ={"NEWSLETTER_SMTP_URL": url}) as room:
    _ = room.plan, room.database, room.templates.compile("daily")
    before, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    books = sending.send(room, IssueId.parse(issue))
    wall, after = time.perf_counter() - before, resource.getrusage(resource.RUSAGE_SELF)
spent = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
assert books.balanced
print(json.dumps({"wall": wall, "cpu": spent, "sent": books.deliveries["submitted"]}))
"""


@dataclass(frozen=True, slots=True)
class _Speed:
    """Messages a second, and CPU seconds a message."""

    rate: float
    cpu: float


def measure(recipients: int, rounds: int) -> Sequence[str]:
    """The rows of the page, for a full issue and for a slim one."""
    return [*_measured(recipients, rounds, slim=False), "", *_measured(recipients, rounds, slim=True)]


def _measured(recipients: int, rounds: int, *, slim: bool) -> Sequence[str]:
    """Every way in turns on one `smtp-sink` a round; medians."""
    from bench.yardsticks import WAYS

    sink_path, source = tool("smtp-sink"), tool("smtp-source")
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    work.chmod(0o755)
    found: dict[str, list[_Speed]] = {}
    try:
        issue = approved_desk(work / "desk", recipients, slim=slim)
        message = _one_message(work, issue)
        for number in range(rounds):
            with sink(sink_path) as port:
                theirs = _smtp_source(source, port, message, recipients)
                found.setdefault(f"`smtp-source -d -s {CONNECTIONS}` (C)", []).append(theirs)
                desk = copied(work / "desk", work / f"round{number}")
                found.setdefault("whole `issue send`, SQLite", []).append(_issue_send(desk, issue, port))
                for way in WAYS:
                    found.setdefault(way, []).append(_other(work / "desk", issue, port, way, recipients))
        size = message.stat().st_size
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _rows(recipients, size, found)


def _rows(recipients: int, size: int, found: Mapping[str, Sequence[_Speed]]) -> list[str]:
    medians = {
        way: (statistics.median(speed.rate for speed in speeds), statistics.median(speed.cpu for speed in speeds))
        for way, speeds in found.items()
    }
    (yardstick, _), *_ = medians.values()
    ours = [speed.rate for speed in found["whole `issue send`, SQLite"]]
    return [
        f"## Sending {recipients:,} messages of about {size / 1000:.0f} KB, {len(ours)} rounds in turns",
        "",
        "| way | messages/s | ratio | client CPU µs/message |",
        "|---|---|---|---|",
        *(
            f"| {way} | {rate:,.0f} | {rate / yardstick:.3g} | {cpu * 1e6:,.0f} |"
            for way, (rate, cpu) in medians.items()
        ),
        "",
        f"Lowest and highest round of ours: {min(ours):,.0f} and {max(ours):,.0f} messages/s.",
    ]


def _other(desk: Path, issue: str, port: int, way: str, recipients: int) -> _Speed:
    """Another way's speed over as many messages as it takes seconds for."""
    from bench.yardsticks import OUR_WIRE

    count = recipients if way == OUR_WIRE else min(recipients, 60 if "rendered" in way else 1000)
    words = [sys.executable, "-m", "bench.yardsticks", str(desk), issue, str(port), way, str(count)]
    return _speed(json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout))


def _speed(told: Mapping[str, float]) -> _Speed:
    return _Speed(told["sent"] / told["wall"], told["cpu"] / told["sent"])


def _issue_send(desk: Path, issue: str, port: int) -> _Speed:
    url = f"smtp://127.0.0.1:{port}?connections={CONNECTIONS}"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(desk), issue, url], capture_output=True, text=True, check=True
    )
    shutil.rmtree(desk)
    return _speed(json.loads(done.stdout))


def _smtp_source(source: str, port: int, message: Path, count: int) -> _Speed:
    words = ["-d", "-s", str(CONNECTIONS), "-m", str(count), "-F", str(message)]
    addresses = ["-f", "a@example.com", "-t", "b@example.com", f"127.0.0.1:{port}"]
    before, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([source, *words, *addresses], check=True)
    wall, after = time.perf_counter() - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    return _Speed(count / wall, spent / count)


def _one_message(work: Path, issue: str) -> Path:
    """A message of the issue with Unix line ends, as smtp-source wants its file."""
    from newsletter.model import IssueId
    from newsletter.newsroom import Newsroom
    from newsletter.newsroom.issue import proofs

    with Newsroom.open(work / "desk", environ={}) as room:
        data = proofs.message_for(room, IssueId.parse(issue), as_email="reader0@example.com")
    path = work / "message.eml"
    path.write_bytes(data.replace(b"\r\n", b"\n"))
    return path


@contextmanager
def sink(program: str) -> Iterator[int]:
    """The port of a running `smtp-sink`."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "1000"])
    try:
        while not listening(port):
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def tool(name: str) -> str:
    """The path of a program of Debian's postfix."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        sys.exit(f"{name} is missing; `make system` installs Debian's postfix, which has it")
    return found
