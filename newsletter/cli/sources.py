"""`newsletter sources …`: how the sources of schedule.yaml are doing; OPML in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, opened, print_json, print_table, whisper

if TYPE_CHECKING:
    from newsletter.newsroom.intake.sources import Standing


@click.group(cls=DeskGroup)
def sources() -> None:
    """List the sources of schedule.yaml with their last polls; bring in and hand out OPML."""


@sources.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List every source: when it was last asked, what went wrong, how many stories it has brought."""
    from newsletter.newsroom.intake import sources as desk

    with open_room() as room:
        found = desk.standings(room)
    if as_json:
        print_json([_document(each) for each in found])
        return
    rows = [
        (
            each.source.id,
            each.source.kind,
            f"{each.state.polled_at:%Y-%m-%d %H:%M}" if each.state.polled_at else "never",
            each.stories,
            "confirmed" if each.source.rights_confirmed_by else "not confirmed",
            _trouble(each),
        )
        for each in found
    ]
    head = ("id", "kind", "last asked (UTC)", "stories", "rights", "trouble")
    print_table(head, rows, "schedule.yaml names no source; add one under `sources:`")


@sources.command("import")
@click.argument("file", type=click.Path(path_type=Path))
def import_(file: Path) -> int:
    """Add the feeds of an OPML FILE to schedule.yaml; its comments stay, and feeds that are there are left out."""
    from newsletter.newsroom.intake import sources as desk

    with open_room() as room:
        new, refused = desk.import_opml(room, file)
    for source in new:
        click.echo(f"{source.id}: {source.url}")
    for refusal in refused:
        whisper(f"{file.name}: left out {refusal}")
    click.echo(f"{len(new)} added to schedule.yaml" + (f", {len(refused)} left out" if refused else ""))
    return 0 if new else 4


@sources.command()
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there; standard output else.")
def export(out: Path | None) -> None:
    """Write the feeds of schedule.yaml as OPML."""
    from newsletter.newsroom.intake import sources as desk

    with open_room() as room:
        data = desk.export_opml(room)
    with opened(out) as file:
        file.write(data)
    if out is not None:
        whisper(f"written to {out}")


def _trouble(each: Standing) -> str:
    if each.state.switched_off:
        return f"switched off: {each.state.switched_off}"
    if each.state.failures:
        return f"{each.state.failures} in a row: {each.state.last_error}"
    return ""


def _document(each: Standing) -> dict[str, object]:
    state = each.state
    return {
        "id": each.source.id,
        "kind": each.source.kind,
        "url": each.source.url,
        "polled_at": state.polled_at.isoformat() if state.polled_at else None,
        "next_poll": each.next_poll.isoformat() if each.next_poll else None,
        "not_before": state.not_before.isoformat() if state.not_before else None,
        "failures": state.failures,
        "last_error": state.last_error,
        "switched_off": state.switched_off,
        "stories": each.stories,
        "rights": each.source.rights,
        "rights_confirmed_by": each.source.rights_confirmed_by,
    }
