"""`make bench`: run the measurements and write the figures to docs/performance.md, each section as it ends."""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    listing,
    million,
    previewing,
    relating,
    rendering,
    scheduling,
    sending,
    signups,
    starting,
    subscribers,
    wires,
)

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
HEAD = f"""\
# Performance

Written by `make bench`: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.
Ratios within one section, which is one run, mean more than the seconds: the machine is shared.
"""
_SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)(?=\n<!-- \w+ -->|\Z)", re.DOTALL)


def main() -> None:
    """Measure what is asked for, print it, and write it into the page."""
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--recipients", type=int, default=30_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", nargs="+", metavar="SECTION", help="of those that the page has")
    asked = arguments.parse_args()
    ways: Mapping[str, Callable[[], Sequence[str]]] = {
        "sending": lambda: sending.measure(asked.recipients, asked.rounds),
        "wires": wires.measure,
        "million": million.measure,
        "preview": previewing.measure,
        "relating": relating.measure,
        "rendering": rendering.measure,
        "lists": listing.measure,
        "signups": signups.measure,
        "subscribers": subscribers.measure,
        "schedule": scheduling.measure,
        "starting": starting.measure,
    }
    for name in asked.only or ways:
        measured = "\n".join([*ways[name](), "", f"Measured on {datetime.now(UTC):%Y-%m-%d}."])
        print(measured, end="\n\n", flush=True)
        kept = dict(_SECTION.findall(PAGE.read_text(encoding="utf-8"))) | {name: measured}
        sections = [f"<!-- {each} -->\n{kept[each].strip()}\n" for each in ways if each in kept]
        PAGE.write_text("\n".join([HEAD, *sections]), encoding="utf-8")


main()
