"""`newsletter stories related`, `pin`, `ban`, `join`, `part` and `same`: what holds between stories."""

from __future__ import annotations

import click

from newsletter.cli.console import DeskCommand, as_json, by, open_room, print_json, progress_bar, whisper, who
from newsletter.cli.story_shown import AT_ARRIVAL, cut, story_argument

__all__ = ["ban", "join", "part", "pin", "related", "same"]

SHOWN = 3


@click.command(cls=DeskCommand)
@click.argument("story_id", metavar="[ID]", required=False)
@as_json
def related(story_id: str | None, as_json: bool) -> None:
    """Show the related reading of one story, or of every ready story, with scores and reasons."""
    from newsletter.newsroom.intake import related as links

    with open_room() as room:
        with progress_bar("related reading", quiet=as_json) as progress:
            links.keep_up(room, at_most=None if story_id is None else AT_ARRIVAL, progress=progress)
        if story_id is None:
            found = links.kept(room, SHOWN)
        else:
            offered = links.offers(room, [room.stories.get(story_id)])[story_id]
            found = {story_id: [links.Kept(each.story.id, each.score, each.reasons) for each in offered]}
        if as_json:
            print_json(
                {
                    each: [{"id": row.id, "score": row.score, "reasons": list(row.reasons)} for row in rows]
                    for each, rows in found.items()
                }
            )
            return
        for each, rows in found.items():
            click.secho(each, bold=True)
            others = room.stories.find([row.id for row in rows])
            if not rows:
                click.echo("  nothing that is near enough")
            for row in rows:
                other = others[row.id]
                said = ", ".join(row.reasons) if row.reasons == links.PINNED else f"shares: {', '.join(row.reasons)}"
                waits = other.embargo is not None and other.embargo > room.clock.now()
                until = f"; not before {other.embargo:%Y-%m-%d %H:%M} UTC: embargo" if waits else ""
                click.echo(f"  {row.score:5.2f}  {other.title}  ({other.outlet}; {said}{until})")


@click.command(cls=DeskCommand)
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take the pin away.")
@by
def pin(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Offer the story OTHER under a story before all else."""
    _choose(story_id, other, "pin", off, by, "is pinned under")


@click.command(cls=DeskCommand)
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take the ban away.")
@by
def ban(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Never offer the story OTHER under a story."""
    _choose(story_id, other, "ban", off, by, "is banned under")


@click.command(cls=DeskCommand)
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take that back.")
@by
def join(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Say that two stories are one: an issue carries the one whose source has the higher priority, then the earlier."""
    _choose(story_id, other, "together", off, by, "is one with")


@click.command(cls=DeskCommand)
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take that back.")
@by
def part(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Say that two stories are not one, however alike they are."""
    _choose(story_id, other, "apart", off, by, "is not one with")


@click.command(cls=DeskCommand)
@click.argument("story_id", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(1), metavar="N", default=20, help="At most N pairs; 20 by default.")
@as_json
def same(story_id: str | None, limit: int, as_json: bool) -> None:
    """Suggest pairs of stories that may tell of one event; `join` and `part` answer."""
    from newsletter.newsroom.intake import related as links

    with open_room() as room:
        with progress_bar("related reading", quiet=as_json) as progress:
            links.keep_up(room, at_most=AT_ARRIVAL, progress=progress)
        found = links.suggestions(room, story_id, limit=limit)
    if as_json:
        print_json(
            [
                {"story": pair.story.id, "other": pair.other.id, "score": pair.score, "reasons": list(pair.reasons)}
                for pair in found
            ]
        )
        return
    if not found:
        click.echo("No two stories look like one event.")
    for pair in found:
        click.echo(f"{pair.score:.2f}  {pair.story.id}  {cut(pair.story.title)}")
        click.echo(f"      {pair.other.id}  {cut(pair.other.title)}  (shares: {', '.join(pair.reasons)})")


def _choose(story_id: str, other: str, choice: str, off: bool, by: str | None, words: str) -> None:
    from newsletter.errors import NothingToDoError
    from newsletter.model import StoryStatus
    from newsletter.newsroom.intake import related as links

    with open_room() as room:
        if not off:
            links.choose(room, story_id, other, links.Choice(choice), who(by))
        elif not links.forget(room, story_id, other, links.Choice(choice)):
            raise NothingToDoError(f"nobody said that {other} {words} {story_id}")
        status = room.stories.get(other).status
    click.echo(f"{other} {words} {story_id}{' no longer' if off else ''}")
    if choice == "pin" and not off and status is not StoryStatus.READY:
        whisper(f"it is {status}: no reader sees it before `newsletter stories release {other}`")
