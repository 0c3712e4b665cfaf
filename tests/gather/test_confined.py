"""The child that parses: its limits, its end, and the next job after either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import SourceError
from newsletter.gather.confined import CONFINEMENT, parse_confined
from newsletter.plan.values import SourcePlan

from .conftest import NOW

PLAN = SourcePlan(id="wire", kind="feed", outlet="The Wire")
GOOD = b"<rss version='2.0'><channel><item><title>Well</title><link>https://a.example/1</link></item></channel></rss>"
SLOW = b"<rss version='2.0'><channel><item>" + b"<a>" * 140_000 + b"</item></channel></rss>"
HUGE = (
    b'{"items":[' + b",".join(b'{"id":"%d","url":"https://e.example","title":"t"}' % n for n in range(120_000)) + b"]}"
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    CONFINEMENT.end()


def parsed(data: bytes, module: str = "feed") -> list[str]:
    stories, _ = parse_confined(f"newsletter.gather.{module}", data, PLAN, NOW, address="https://a.example/feed")
    return [story.title for story in stories]


def test_one_child_serves_job_after_job() -> None:
    assert [parsed(GOOD) for _ in range(3)] == [["Well"]] * 3
    assert sum(child.process is not None for child in CONFINEMENT.children) == 1


def test_an_error_of_the_source_comes_back_as_it_is() -> None:
    with pytest.raises(SourceError, match=r"source wire: https://a\.example/feed is an HTML page, not a feed"):
        parsed(b"<html></html>")


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed(GOOD)
    monkeypatch.setattr(CONFINEMENT, "seconds", 0.3)
    with pytest.raises(SourceError, match=r"source wire: .* parsing it takes over 0 s; it was not read"):
        parsed(SLOW)
    monkeypatch.setattr(CONFINEMENT, "seconds", 10.0)
    assert parsed(GOOD) == ["Well"]


def test_what_takes_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        CONFINEMENT, "seconds", 60.0
    )  # on a busy machine memory may fill more slowly than time runs out
    with pytest.raises(SourceError, match=r"source wire: .* needs over 140 MiB of memory"):
        parsed(HUGE, "jsonfeed")
    assert parsed(GOOD) == ["Well"]


def test_a_child_that_dies_is_an_error_and_another_one_follows() -> None:
    parsed(GOOD)
    (child,) = [child for child in CONFINEMENT.children if child.process is not None]
    assert child.process is not None
    pid = child.process.pid
    threading.Timer(0.4, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(SourceError, match="ends its process"):
        parsed(SLOW)
    assert parsed(GOOD) == ["Well"]


def test_its_environment_holds_no_secret_and_it_needs_no_heavy_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "do-not-tell")
    parsed(GOOD)
    (child,) = [child for child in CONFINEMENT.children if child.process is not None]
    assert child.process is not None
    folder = Path(f"/proc/{child.process.pid}")
    assert b"do-not-tell" not in (folder / "environ").read_bytes()
    assert not [line for line in (folder / "maps").read_text().splitlines() if "numpy" in line or "tantivy" in line]


def test_children_end_with_a_parent_that_was_killed() -> None:
    code = (
        "import sys, time\nfrom newsletter.gather.confined import CONFINEMENT\n"
        "process = CONFINEMENT.children[0].started()\nprint(process.pid, flush=True)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    patience = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").exists() and time.monotonic() < patience:
        if Path(f"/proc/{pid}/stat").read_text().split(") ")[1].startswith("Z"):
            break  # ended; nobody is left to collect it
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}/stat").exists()
