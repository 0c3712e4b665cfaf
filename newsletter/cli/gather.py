"""`newsletter gather`."""

from __future__ import annotations

import click

from newsletter.cli.console import DeskCommand, as_json, open_room, print_json, whisper


@click.command(cls=DeskCommand)
@click.option("--source", metavar="ID", help="Only this source of schedule.yaml.")
@as_json
def gather(source: str | None, as_json: bool) -> int:
    """Bring stories in now, from every source or from one.

    Ends with 0 when at least one source answered, 1 when none did.
    """
    from newsletter.newsroom import gathering

    with open_room() as room:
        sources = [gathering.source_plan(room, source)] if source else list(room.plan.sources.values())
        polled = []
        for number, result in enumerate(gathering.gather_all(room, sources), 1):
            polled.append(result)
            if not as_json:
                _report(result, f"[{number}/{len(sources)}]")
        if as_json:
            print_json([_document(result) for result in polled])
        elif not sources:
            whisper("schedule.yaml names no source; add one under `sources:`")
    return 0 if not polled or any(result.gathered for result in polled) else 1


def _report(result: object, count: str) -> None:
    from newsletter.newsroom.gathering import Polled

    assert isinstance(result, Polled)
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


def _document(result: object) -> dict[str, object]:
    from newsletter.newsroom.gathering import Polled

    assert isinstance(result, Polled)
    if result.gathered is None:
        return {"source": result.source, "error": result.error}
    each = result.gathered.ingested
    return {
        "source": result.source,
        "new": each.new,
        "revised": each.revised,
        "known": each.unchanged,
        "unchanged": result.gathered.unchanged,
        "switched_off": result.gathered.switched_off,
        "refused": [{"where": r.where, "reason": r.reason} for r in result.gathered.refused],
    }
