"""A whole `issue send` (freeze, intents, messages, outcomes) against Postfix's C load generator, on one smtp-sink."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.desks import approved_desk, copied

CONNECTIONS = 16
CHILD = """
import json, resource, sys, time
from pathlib import Path
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom, sending
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


def measure(recipients: int, rounds: int) -> Sequence[str]:
    """The rows of the page: messages per second and CPU per message, ours and smtp-source's, in turns."""
    sink, source = _tool("smtp-sink"), _tool("smtp-source")
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    work.chmod(0o755)
    try:
        issue = approved_desk(work / "desk", recipients)
        message = _one_message(work, issue)
        ours: list[tuple[float, float]] = []
        theirs: list[tuple[float, float]] = []
        for number in range(rounds):
            with _sink(sink) as port:
                theirs.append(_smtp_source(source, port, message, recipients))
                ours.append(_issue_send(copied(work / "desk", work / f"round{number}"), issue, port))
        return _rows(recipients, message.stat().st_size, ours, theirs)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _rows(
    recipients: int, size: int, ours: Sequence[tuple[float, float]], theirs: Sequence[tuple[float, float]]
) -> list[str]:
    rate, cpu = (statistics.median(pair[n] for pair in ours) for n in (0, 1))
    their_rate, their_cpu = (statistics.median(pair[n] for pair in theirs) for n in (0, 1))
    return [
        f"## Sending {recipients:,} messages of about {size / 1000:.0f} KB, {len(ours)} rounds in turns",
        "",
        "| way | messages/s | ratio | client CPU µs/message |",
        "|---|---|---|---|",
        f"| `smtp-source -d -s {CONNECTIONS}` (C) | {their_rate:,.0f} | 1.00 | {their_cpu * 1e6:,.0f} |",
        f"| whole `issue send`, SQLite | {rate:,.0f} | {rate / their_rate:.2f} | {cpu * 1e6:,.0f} |",
        "",
        f"Lowest and highest round of ours: {min(ours)[0]:,.0f} and {max(ours)[0]:,.0f} messages/s.",
    ]


def _issue_send(desk: Path, issue: str, port: int) -> tuple[float, float]:
    """Messages a second, and CPU seconds a message."""
    url = f"smtp://127.0.0.1:{port}?connections={CONNECTIONS}"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(desk), issue, url], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    shutil.rmtree(desk)
    return found["sent"] / found["wall"], found["cpu"] / found["sent"]


def _smtp_source(source: str, port: int, message: Path, count: int) -> tuple[float, float]:
    words = ["-d", "-s", str(CONNECTIONS), "-m", str(count), "-F", str(message)]
    addresses = ["-f", "a@example.com", "-t", "b@example.com", f"127.0.0.1:{port}"]
    before, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([source, *words, *addresses], check=True)
    wall, after = time.perf_counter() - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    return count / wall, spent / count


def _one_message(work: Path, issue: str) -> Path:
    """A message of the issue with Unix line ends, as smtp-source wants its file."""
    from newsletter.model import IssueId
    from newsletter.newsroom import Newsroom, sending

    with Newsroom.open(work / "desk", environ={}) as room:
        data = sending.message_for(room, IssueId.parse(issue), as_email="reader0@example.com")
    path = work / "message.eml"
    path.write_bytes(data.replace(b"\r\n", b"\n"))
    return path


@contextmanager
def _sink(program: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "1000"])
    try:
        while not _listening(port):
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not found:
        sys.exit(f"{name} is missing; `make system` installs Debian's postfix, which has it")
    return found
