"""A whole `issue send` to a million recipients: the freeze, the first message, memory, the rate to the end.

    python -m bench.million DESK ISSUE URL

prints `{"freeze": seconds, "first": seconds, "memory": MiB above start, "wall": seconds, "sent": messages}` as JSON.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.desks import approved_desk
from bench.sending import CONNECTIONS, sink, tool
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.storage import IssueLedger, Sends

RECIPIENTS = 1_000_000


def measure(recipients: int = RECIPIENTS) -> Sequence[str]:
    """The rows of the page, in one run on one `smtp-sink`."""
    work = Path(tempfile.mkdtemp(prefix="million-"))
    try:
        issue = approved_desk(work / "desk", recipients, slim=True)
        with sink(tool("smtp-sink")) as port:
            url = f"smtp://127.0.0.1:{port}?connections={CONNECTIONS}"
            words = [sys.executable, "-m", "bench.million", str(work / "desk"), issue, url]
            told = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return [
        f"## A whole issue to {told['sent']:,} recipients, SQLite, messages of about 7 KB",
        "",
        "| what | figure | bar |",
        "|---|---|---|",
        f"| the freeze of the audience | {told['freeze']:.1f} s | 5 s |",
        f"| from there to the first message | {told['first']:.2f} s | 3 s |",
        f"| most memory at any moment, above start | {told['memory']:.0f} MiB | 64 MiB |",
        f"| messages/s from the first command to the balanced books | {told['sent'] / told['wall']:,.0f} | |",
    ]


def main() -> None:
    """The send, watched from within its process."""
    desk, issue, url = sys.argv[1:]
    at: dict[str, float] = {}
    _note(Sends, "freeze", lambda: at.setdefault("freezing", time.perf_counter()))
    _note(IssueLedger, "__enter__", lambda: at.setdefault("frozen", time.perf_counter()))
    _note(IssueLedger, "leaving", lambda: at.setdefault("first", time.perf_counter()))
    with Newsroom.open(Path(desk), environ={"NEWSLETTER_SMTP_URL": url}) as room:
        _ = room.plan, room.database, room.templates.compile("daily")
        before, start = time.perf_counter(), memory("VmRSS")
        books = sending.send(room, IssueId.parse(issue))
        wall = time.perf_counter() - before
    assert books.balanced
    told = {
        "freeze": at["frozen"] - at["freezing"],
        "first": at["first"] - at["frozen"],
        "memory": memory("VmHWM") - start,
        "wall": wall,
        "sent": books.deliveries["submitted"],
    }
    print(json.dumps(told))


def memory(what: str) -> float:
    """MiB in memory now (`VmRSS`) or at most (`VmHWM`); `getrusage` would begin with the peak of whoever started us."""
    found = re.search(rf"^{what}:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def _note(owner: type, name: str, note: Callable[[], object]) -> None:
    whole = getattr(owner, name)

    def noting(*args: Any, **kwargs: Any) -> Any:
        note()
        return whole(*args, **kwargs)

    setattr(owner, name, noting)


if __name__ == "__main__":
    main()
