"""Rendering an edition from the compiled template, against compiling the template for each."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

from bench.desks import NEWSLETTER, approved_desk
from newsletter.compose import choose_edition
from newsletter.model import Edition, IssueId
from newsletter.newsroom import Newsroom
from newsletter.render import Templates, render_edition, render_editions

ROUNDS = 9
EDITIONS = 200


def measure() -> Sequence[str]:
    """The rows of the page."""
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        issue = IssueId.parse(approved_desk(work / "desk", 10))
        assert issue.newsletter == NEWSLETTER
        with Newsroom.open(work / "desk", environ={}) as room:
            snapshot = room.issues.get(issue).snapshot
        assert snapshot is not None
        edition = choose_edition(snapshot, None, None)
        assert edition is not None
        kept = Templates()
        rendered = render_edition(kept.compile("daily"), snapshot, edition, "https://example.com")

        template = kept.compile("daily")

        def once() -> None:
            render_edition(template, snapshot, edition, "https://example.com")

        def each_time() -> None:
            render_edition(Templates().compile("daily"), snapshot, edition, "https://example.com")

        fast, slow = _medians(once, each_time)
        sets = (held for size in range(1, 8) for held in combinations(snapshot.countries, size))
        many = [Edition(held, language) for held in sets for language in ("en", "zh")][:EDITIONS]
        before = time.perf_counter()
        made = render_editions(template, snapshot, many, "https://example.com")
        all_of_them = time.perf_counter() - before
        assert len(made) == EDITIONS
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return [
        f"## Rendering one edition of {rendered.stories} stories, {len(rendered.html.encode()):,} bytes of HTML",
        "",
        "| way | ms | ratio |",
        "|---|---|---|",
        f"| compile the template for each edition | {slow * 1e3:.1f} | 1.0 |",
        f"| compile once, render each edition | {fast * 1e3:.1f} | {slow / fast:.1f} |",
        "",
        f"{EDITIONS} editions of that issue: {all_of_them:.2f} s (bar 2 s).",
    ]


def _medians(*ways: Callable[[], None]) -> list[float]:
    """The median seconds of each way, taken in turns."""
    spent: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for way, times in zip(ways, spent, strict=True):
            before = time.perf_counter()
            way()
            times.append(time.perf_counter() - before)
    return [statistics.median(times) for times in spent]
