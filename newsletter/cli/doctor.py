"""`newsletter doctor`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, open_room, print_json

if TYPE_CHECKING:
    from newsletter.deliver.doctor import Diagnosis
    from newsletter.newsroom.doctor import Part

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red"), "left out": ("–", "bright_black")}


@click.command(cls=DeskCommand)
@as_json
def doctor(as_json: bool) -> int:
    """Look at everything a send rests on: mail server, SPF, DKIM, DMARC, settings, disk, clock, database.

    Each finding is ok, a warning, failed, or left out, with what to do and the DNS record to publish. No mail is sent.
    The exit code is 3 when something failed.
    """
    from newsletter.newsroom.doctor import examine

    with open_room() as room:
        parts = examine(room)
        if as_json:
            print_json(_document(parts))
        else:
            _print(parts)
    return 3 if _counts(parts)["failed"] else 0


def _print(parts: Sequence[Part]) -> None:
    each = [finding for part in parts for finding in part.found]
    width = max(len(finding.check) for finding in each)
    for part in parts:
        click.secho(part.name.capitalize(), bold=True)
        for finding in part.found:
            _print_finding(finding, width)
        click.echo()
    counts = _counts(parts)
    click.echo(", ".join(f"{counts[verdict]} {verdict}" for verdict in _MARKS if counts[verdict]))


def _print_finding(finding: Diagnosis, width: int) -> None:
    mark, colour = _MARKS[finding.verdict]
    place = f"{finding.place}: " if finding.place else ""
    left_out = "left out: " if finding.verdict == "left out" else ""
    click.echo(
        f"  {click.style(mark, fg=colour, bold=True)} {finding.check:{width}}  {place}{left_out}{finding.message}"
    )
    more = [finding.fix] if finding.fix else []
    if finding.record is not None:
        more.append(finding.record.zone_line)
    for line in more:
        click.echo(f"    {'':{width}}  → {line}")


def _document(parts: Sequence[Part]) -> dict[str, object]:
    counts = _counts(parts)
    return {
        "counts": {verdict: counts[verdict] for verdict in _MARKS},
        "findings": [_finding(part.name, finding) for part in parts for finding in part.found],
    }


def _finding(part: str, finding: Diagnosis) -> dict[str, object]:
    record = finding.record
    return {
        "part": part,
        "check": finding.check,
        "place": finding.place,
        "verdict": finding.verdict,
        "message": finding.message,
        "fix": finding.fix,
        "record": {"name": record.name, "type": record.kind, "value": record.value} if record else None,
    }


def _counts(parts: Sequence[Part]) -> Counter[str]:
    return Counter(str(finding.verdict) for part in parts for finding in part.found)
