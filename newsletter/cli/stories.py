"""`newsletter stories …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, print_json, print_table, whisper

if TYPE_CHECKING:
    from newsletter.model import Story


@click.group(cls=DeskGroup)
def stories() -> None:
    """Import, list, show and export stories, and their related reading."""


@stories.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def import_(file: Path, as_json: bool) -> None:
    """Take the stories of FILE (.json, .jsonl, .csv, or a saved feed as .xml).

    A bad story is refused with its position and the rest is taken; a file with no good story ends with 2.
    """
    from newsletter.newsroom import gathering

    with open_room() as room:
        ingested, refused = gathering.import_file(room, file)
    for refusal in refused:
        whisper(f"{file.name}: refused {refusal}")
    if as_json:
        print_json(
            {
                "new": ingested.new,
                "revised": ingested.revised,
                "known": ingested.unchanged,
                "refused": [{"where": r.where, "reason": r.reason} for r in refused],
            }
        )
    else:
        click.echo(f"{ingested.new} new, {ingested.revised} revised, {ingested.unchanged} known")
        if refused:
            whisper(f"{len(refused)} refused")


@stories.command("list")
@click.option("--country", metavar="CODE", help="Only stories filed under this country or region.")
@click.option("--source", metavar="ID", help="Only stories of this source.")
@click.option("--status", metavar="STATUS", help="Only draft, ready, held, rejected or withdrawn stories.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N; on a screen 50 by default.")
@as_json
def list_(country: str | None, source: str | None, status: str | None, limit: int | None, as_json: bool) -> None:
    """List stories, latest published first."""
    from newsletter.errors import InputError
    from newsletter.model import StoryStatus

    try:
        wanted = StoryStatus(status) if status else None
    except ValueError:
        raise InputError(f"{status!r} is no status; there are {', '.join(StoryStatus)}") from None
    with open_room() as room:
        found = room.stories.list(
            country=country, source=source, status=wanted, limit=limit or (None if as_json else 50)
        )
        if as_json:
            print_json([_document(story) for story in found])
        else:
            rows = [
                (
                    story.id,
                    story.country or "?",
                    f"{story.published_at:%Y-%m-%d %H:%M}",
                    story.outlet,
                    _cut(story.title),
                )
                for story in found
            ]
            print_table(
                ("id", "in", "published (UTC)", "outlet", "headline"), rows, "No stories yet: `newsletter gather`."
            )


@stories.command()
@click.argument("story_id", metavar="ID")
@as_json
def show(story_id: str, as_json: bool) -> None:
    """Show one story with everything we hold of it."""
    with open_room() as room:
        story = room.stories.get(story_id)
    document = _document(story)
    if as_json:
        print_json(document)
        return
    for key, value in document.items():
        if value not in (None, "", [], {}):
            click.echo(f"{click.style(key, bold=True)}: {_plain(value)}")


@stories.command()
@click.option("--country", metavar="CODE", help="Only stories filed under this country or region.")
def export(country: str | None) -> None:
    """Print every story as JSON Lines, in the form that `stories import` takes."""
    import json

    from newsletter import gather

    with open_room() as room:
        for story in room.stories.list(country=country):
            click.echo(json.dumps(gather.story_document(story), ensure_ascii=False))


@stories.command()
@click.argument("story_id", metavar="[ID]", required=False)
@as_json
def related(story_id: str | None, as_json: bool) -> None:
    """Show the related reading of one story, or of every ready story, with scores and reasons."""
    from newsletter.newsroom import gathering

    with open_room() as room:
        found = gathering.related(room, story_id)
    if as_json:
        print_json(
            {
                each: [{"id": row.id, "score": round(row.score, 4), "reasons": list(row.reasons)} for row in rows]
                for each, rows in found.items()
            }
        )
        return
    for each, rows in found.items():
        click.secho(each, bold=True)
        for row in rows:
            click.echo(f"  {row.score:5.2f}  {row.title}  ({row.outlet}; shares: {', '.join(row.reasons)})")


def _document(story: Story) -> dict[str, object]:
    from newsletter import gather

    return {
        "id": story.id,
        "status": str(story.status),
        "country_origin": story.country_origin,
        "revision": story.revision,
        "cluster": None,
        "url_canonical": story.url_canonical,
        **gather.story_document(story),
    }


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str, width: int = 70) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
