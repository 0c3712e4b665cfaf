"""`make bench`: run every measurement and write the figures to docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench import relating, rendering, sending, starting, wires

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> None:
    """Measure, print, and write the page."""
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--recipients", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        "# Performance",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine}.",
        "Ratios within one run mean more than the seconds: the machine is shared.",
        "",
        *sending.measure(asked.recipients, asked.rounds),
        "",
        *wires.measure(),
        "",
        *relating.measure(),
        "",
        *rendering.measure(),
        "",
        *starting.measure(),
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


main()
