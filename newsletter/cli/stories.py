"""`newsletter stories …`: what came in, and what an editor says about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, by, open_room, opened, print_json, progress_bar, whisper, who
from newsletter.cli.story_links import ban, join, part, pin, related, same
from newsletter.cli.story_notes import draft, note, notes_
from newsletter.cli.story_shown import AT_ARRIVAL, print_stories, story_argument, why

if TYPE_CHECKING:
    from newsletter.model import StoryStatus
    from newsletter.newsroom import Newsroom


@click.group(cls=DeskGroup)
def stories() -> None:
    """Import, list, search and show stories; file, hold and withdraw them; related reading, copies and notes."""


for command in (note, draft, notes_, related, same, join, part, pin, ban):
    stories.add_command(command)


@stories.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def import_(file: Path, as_json: bool) -> None:
    """Take the stories of FILE (.json, .jsonl, .csv, or a saved feed as .xml).

    A bad story is refused with its position and the rest is taken; a file with no good story ends with 2.
    """
    from newsletter.newsroom.intake import gathering
    from newsletter.newsroom.intake import related as links

    with open_room() as room:
        ingested, refused = gathering.import_file(room, file)
        with progress_bar("related reading", quiet=as_json) as progress:
            links.keep_up(room, at_most=AT_ARRIVAL, progress=progress)
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
@click.option("--undecided", is_flag=True, help="Only ready stories that wait for a country.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N; on a screen 50 by default.")
@as_json
def list_(
    country: str | None, source: str | None, status: str | None, undecided: bool, limit: int | None, as_json: bool
) -> None:
    """List stories, latest published first."""
    with open_room() as room:
        found = room.stories.list(
            country=country,
            source=source,
            status=_status(status),
            undecided=undecided,
            limit=limit or (None if as_json else 50),
        )
        some = [country, source, status, undecided or None]
        empty = "No stories yet; `newsletter gather` or `newsletter stories import FILE` brings them."
        print_stories(list(found), as_json, _none_found(room, country, source) if any(some) else empty)


@stories.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--country", metavar="CODE", help="Only stories filed under this country or region.")
@click.option("--source", metavar="ID", help="Only stories of this source.")
@click.option("--status", metavar="STATUS", help="Only draft, ready, held, rejected or withdrawn stories.")
@click.option("--limit", type=click.IntRange(1), metavar="N", default=50, help="At most N; 50 by default.")
@as_json
def search(
    words: Sequence[str], country: str | None, source: str | None, status: str | None, limit: int, as_json: bool
) -> None:
    """Find stories that hold all WORDS in headline, summary or tags, best match first."""
    from newsletter.newsroom.intake import stories as desk
    from newsletter.words import terms_of

    with open_room() as room:
        found = desk.search(room, " ".join(words), country=country, source=source, status=_status(status), limit=limit)
        empty = _none_found(room, country, source) if country or source else "No story holds all of these words."
        if not terms_of(" ".join(words)):
            empty = "These words are too common to be looked for; add one that tells of the story."
    print_stories(found, as_json, empty)


@stories.command()
@story_argument
@as_json
def show(story_id: str, as_json: bool) -> None:
    """Show one story with everything we hold of it."""
    from newsletter.newsroom.documents import story_document, story_history

    with open_room() as room:
        story = room.stories.get(story_id)
        events = room.stories.events(story_id)
    shown = story_document(story)
    if as_json:
        print_json(shown | {"history": story_history(events)})
        return
    for key, value in shown.items():
        if value not in (None, "", [], {}):
            click.echo(f"{click.style(key, bold=True)}: {_plain(value)}")
    for each in events:
        click.echo(f"  {each.at:%Y-%m-%d %H:%M} UTC  {each.what} by {each.who}{f': {each.why}' if each.why else ''}")


@stories.command()
@click.option("--country", metavar="CODE", help="Only stories filed under this country or region.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write them there; standard output else.")
def export(country: str | None, out: Path | None) -> None:
    """Write every story as JSON Lines, in the form that `stories import` takes."""
    import json

    from newsletter import gather

    with open_room() as room, opened(out) as file:
        number = 0
        for story in room.stories.list(country=country):
            number += 1
            file.write(json.dumps(gather.story_document(story), ensure_ascii=False).encode() + b"\n")
    if out is not None:
        whisper(f"{number} stories written to {out}")


# --- an editor's word -------------------------------------------------------------------------------------


@stories.command("file")
@story_argument
@click.argument("country", required=False)
@click.option("--off", is_flag=True, help="Take an editor's choice back: its source or its words decide again.")
@by
def file_(story_id: str, country: str | None, off: bool, by: str | None) -> None:
    """File a story under COUNTRY (CN) or a region of schedule.yaml; no source overwrites that.

    `newsletter stories list --undecided` shows the stories that wait for it.
    """
    from newsletter.errors import InputError
    from newsletter.newsroom.intake import stories as desk

    if off is bool(country):
        raise InputError("name either a country (CN) or --off")
    with open_room() as room:
        filed = desk.file_under(room, story_id, country, who(by)) if country else desk.unfile(room, story_id, who(by))
    click.echo(f"{story_id} is filed under {filed.country}" if filed.country else f"{story_id} waits for a country")


@stories.command()
@story_argument
@by
@why
def hold(story_id: str, by: str | None, reason: str) -> None:
    """Keep a story out of issues until it is released, and its copies with it."""
    _set_status(story_id, "held", by, reason)


@stories.command()
@story_argument
@by
@why
def release(story_id: str, by: str | None, reason: str) -> None:
    """Let a held, rejected or withdrawn story into issues again."""
    _set_status(story_id, "ready", by, reason)


@stories.command()
@story_argument
@by
@why
def reject(story_id: str, by: str | None, reason: str) -> None:
    """Turn a story down: it stands in no issue; a copy of it from another source may."""
    _set_status(story_id, "rejected", by, reason)


@stories.command()
@story_argument
@by
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the story.")
def withdraw(story_id: str, by: str | None, reason: str) -> None:
    """Withdraw a story and its copies: they stand in no issue, and block the send of one that has them."""
    _set_status(story_id, "withdrawn", by, reason)


def _set_status(story_id: str, status: str, by: str | None, reason: str) -> None:
    from newsletter.model import KEEPS_BACK, StoryStatus
    from newsletter.newsroom.intake import stories as desk

    with open_room() as room:
        story = desk.set_status(room, story_id, StoryStatus(status), who(by), reason)
        copies = desk.copies_of(room, story) if story.status in KEEPS_BACK else []
    click.echo(f"{story_id} is {status}")
    for copy in copies:
        click.echo(f"  and with it its copy {copy}; `newsletter stories part {story_id} {copy}` says that it is none")


def _none_found(room: Newsroom, country: str | None, source: str | None) -> str:
    """Why a list is empty, where it may be a slip of the pen."""
    from newsletter.countries import is_country

    if source and source not in room.plan.sources:
        return (
            f"No such stories; schedule.yaml has no source {source!r}: it has {', '.join(room.plan.sources) or 'none'}."
        )
    if country and not is_country(country) and country not in room.plan.places:
        return f"No such stories; {country!r} is neither a country in capitals (CN) nor a region of schedule.yaml."
    return "No such stories."


def _status(text: str | None) -> StoryStatus | None:
    from newsletter.errors import InputError
    from newsletter.model import StoryStatus

    try:
        return StoryStatus(text) if text else None
    except ValueError:
        raise InputError(f"{text!r} is no status; there are {', '.join(StoryStatus)}") from None


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
