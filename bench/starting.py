"""How long the command line takes to say what it can do."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

ROUNDS = 15


def measure() -> Sequence[str]:
    """The rows of the page."""
    help_ms, bare_ms = [], []
    for _ in range(ROUNDS):
        bare_ms.append(_milliseconds("-c", "pass"))
        help_ms.append(_milliseconds("-m", "newsletter", "--help"))
    help_, bare = statistics.median(help_ms), statistics.median(bare_ms)
    return [
        "## Starting",
        "",
        "| what | ms, median |",
        "|---|---|",
        f"| `newsletter --help` | {help_:.0f} |",
        f"| the bare interpreter | {bare:.0f} |",
    ]


def _milliseconds(*words: str) -> float:
    before = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - before) * 1e3
