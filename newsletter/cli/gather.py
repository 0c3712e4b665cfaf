"""`newsletter gather`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, open_room, print_json, progress_bar, whisper

if TYPE_CHECKING:
    from newsletter.newsroom import Newsroom
    from newsletter.newsroom.intake.gathering import Polled

AT_ARRIVAL = 2_000
"""Of how many stories, the latest ones, related reading is computed before the command ends."""


@click.command(cls=DeskCommand)
@click.option("--source", metavar="ID", help="Only this source of schedule.yaml, even if it asked to be left alone.")
@as_json
def gather(source: str | None, as_json: bool) -> int:
    """Bring stories in now, from every source or from one.

    Ends with 0 when at least one source answered, 1 when none did.
    """
    from newsletter.newsroom.intake import gathering, related

    with open_room() as room:
        sources = [gathering.source_plan(room, source)] if source else gathering.polled_sources(room)
        polled: list[Polled] = []
        waiting = [each.id for each in sources]
        began = time.monotonic()
        for result in gathering.gather_all(room, sources, insist=source is not None):
            polled.append(result)
            waiting.remove(result.source)
            if not as_json:
                _clear_line()
                _report(result, f"[{len(polled)}/{len(sources)}]")
                _show_waiting(waiting, time.monotonic() - began)
        with progress_bar("related reading", quiet=as_json) as progress:
            related.keep_up(room, at_most=AT_ARRIVAL, progress=progress)
        if as_json:
            print_json([_document(room, result) for result in polled])
        elif not sources:
            whisper("schedule.yaml names no source to ask; add one under `sources:`")
    asked = [result for result in polled if result.left_alone is None]
    return 0 if not asked or any(result.gathered for result in asked) else 1


def _report(result: Polled, count: str) -> None:
    if result.left_alone is not None:
        whisper(f"{count} {result.source}: not polled: {result.left_alone}; `--source {result.source}` polls it anyway")
        return
    if result.gathered is None:
        whisper(f"{count} {click.style('failed', fg='red')} {result.error}")
        return
    brought, each = result.gathered, result.gathered.ingested
    if brought.switched_off:
        words = f"switched off: {brought.switched_off}"
    elif brought.unchanged:
        words = "nothing new"
    else:
        words = f"{each.new} new, {each.revised} revised, {each.unchanged} known"
    click.echo(f"{count} {result.source}: {words}")
    for refusal in brought.refused:
        whisper(f"      refused {refusal}")


def _show_waiting(waiting: list[str], seconds: float) -> None:
    """A line that the next one writes over, where a person watches."""
    if waiting and sys.stderr.isatty():
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        click.echo(f"      {seconds:.0f} s, waiting for {', '.join(waiting[:3])}{more} …", err=True, nl=False)


def _clear_line() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[2K", err=True, nl=False)


def _document(room: Newsroom, result: Polled) -> dict[str, object]:
    state = room.source_states.get(result.source)
    document: dict[str, object] = {
        "source": result.source,
        "seconds": round(result.seconds, 3),
        "failures": state.failures,
        "not_before": state.not_before.isoformat() if state.not_before else None,
    }
    if result.left_alone is not None:
        return document | {"left_alone": result.left_alone}
    if result.gathered is None:
        return document | {"error": result.error}
    each = result.gathered.ingested
    return document | {
        "new": each.new,
        "revised": each.revised,
        "known": each.unchanged,
        "unchanged": result.gathered.unchanged,
        "switched_off": result.gathered.switched_off,
        "refused": [{"where": r.where, "reason": r.reason} for r in result.gathered.refused],
    }
