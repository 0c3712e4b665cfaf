"""`newsletter stories …`: what came in, and what an editor says about it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, print_json, print_table, progress_bar, whisper

if TYPE_CHECKING:
    from newsletter.model import Story, StoryStatus

AT_ARRIVAL = 2_000
"""Of how many stories, the latest ones, related reading is computed before an import ends."""

SHOWN = 3

by = click.option("--by", metavar="NAME", help="Who says so; your login name by default.")
why = click.option("--reason", metavar="TEXT", default="", help="Why; kept with the story.")
story_argument = click.argument("story_id", metavar="ID")


@click.group(cls=DeskGroup)
def stories() -> None:
    """Import, list, search and show stories; file, hold and withdraw them; related reading, copies and notes."""


@stories.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def import_(file: Path, as_json: bool) -> None:
    """Take the stories of FILE (.json, .jsonl, .csv, or a saved feed as .xml).

    A bad story is refused with its position and the rest is taken; a file with no good story ends with 2.
    """
    from newsletter.newsroom import gathering
    from newsletter.newsroom import related as links

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
        _print_stories(
            list(found), as_json, "No such stories." if undecided else "No stories yet: `newsletter gather`."
        )


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
    from newsletter.newsroom import stories as desk

    with open_room() as room:
        found = desk.search(room, " ".join(words), country=country, source=source, status=_status(status), limit=limit)
    _print_stories(found, as_json, "No story holds all of these words.")


@stories.command()
@story_argument
@as_json
def show(story_id: str, as_json: bool) -> None:
    """Show one story with everything we hold of it."""
    with open_room() as room:
        story = room.stories.get(story_id)
        events = room.stories.events(story_id)
    document = _document(story)
    if as_json:
        history = [{"at": each.at.isoformat(), "who": each.who, "what": each.what, "why": each.why} for each in events]
        print_json(document | {"history": history})
        return
    for key, value in document.items():
        if value not in (None, "", [], {}):
            click.echo(f"{click.style(key, bold=True)}: {_plain(value)}")
    for each in events:
        click.echo(f"  {each.at:%Y-%m-%d %H:%M} UTC  {each.what} by {each.who}{f': {each.why}' if each.why else ''}")


@stories.command()
@click.option("--country", metavar="CODE", help="Only stories filed under this country or region.")
def export(country: str | None) -> None:
    """Print every story as JSON Lines, in the form that `stories import` takes."""
    import json

    from newsletter import gather

    with open_room() as room:
        for story in room.stories.list(country=country):
            click.echo(json.dumps(gather.story_document(story), ensure_ascii=False))


# --- an editor's word -------------------------------------------------------------------------------------


@stories.command("file")
@story_argument
@click.argument("country")
@by
def file_(story_id: str, country: str, by: str | None) -> None:
    """File a story under COUNTRY (CN) or a region of schedule.yaml; no source overwrites that.

    `newsletter stories list --undecided` shows the stories that wait for it.
    """
    from newsletter.newsroom import stories as desk

    with open_room() as room:
        desk.file_under(room, story_id, country, _who(by))
    click.echo(f"{story_id} is filed under {country}")


@stories.command()
@story_argument
@by
@why
def hold(story_id: str, by: str | None, reason: str) -> None:
    """Keep a story out of issues until it is released."""
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
    """Turn a story down: it stands in no issue."""
    _set_status(story_id, "rejected", by, reason)


@stories.command()
@story_argument
@by
@click.option("--reason", metavar="TEXT", required=True, help="Why; kept with the story.")
def withdraw(story_id: str, by: str | None, reason: str) -> None:
    """Withdraw a story: it stands in no issue, and blocks the send of one that has it."""
    _set_status(story_id, "withdrawn", by, reason)


@stories.command()
@story_argument
@click.option("--approve", "act", flag_value="approve", help="Let readers see it, under your name.")
@click.option("--reject", "act", flag_value="reject", help="Take it away, for good.")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Put your own note in its place: paragraphs divided by empty lines.",
)
@by
@why
def note(story_id: str, act: str | None, write: Path | None, by: str | None, reason: str) -> None:
    """Show a story's note and where it came from, or decide about it."""
    from newsletter.errors import InputError
    from newsletter.newsroom import stories as desk

    if act and write:
        raise InputError("--write stands alone: it puts your note in place of the one that is there")
    with open_room() as room:
        if write:
            text = write.read_text(encoding="utf-8")
            desk.write_note(room, story_id, text.split("\n\n"), _who(by))
            click.echo(f"{story_id} has an editor's note by {_who(by)}")
        elif act == "approve":
            desk.approve_note(room, story_id, _who(by))
            click.echo(f"the note of {story_id} is approved by {_who(by)}")
        elif act == "reject":
            desk.reject_note(room, story_id, _who(by), reason)
            click.echo(f"{story_id} has no note")
        else:
            _print_note(room.stories.get(story_id))


@stories.command()
@click.argument("story_ids", metavar="[ID]...", nargs=-1)
@click.option("--limit", type=click.IntRange(1), metavar="N", default=20, help="At most N stories; 20 by default.")
@as_json
def draft(story_ids: Sequence[str], limit: int, as_json: bool) -> None:
    """Have a model draft the notes of these stories, or of the latest ones without a note.

    A draft is held: no reader sees it before `stories note ID --approve`. NEWSLETTER_SUMMARY_BUDGET bounds a day.
    """
    from newsletter.newsroom import notes

    with open_room() as room:
        wanted = [room.stories.get(each) for each in story_ids] or notes.waiting(room)[:limit]
        drafted = []
        for number, each in enumerate(notes.draft_notes(room, wanted), 1):
            drafted.append(each)
            if not as_json:
                words = "held, waits for an editor" if each.note else f"no note: {each.reason}"
                click.echo(f"[{number}/{len(wanted)}] {each.story}: {words}{' (asked before)' if each.cached else ''}")
        if len(drafted) < len(wanted):
            whisper(f"{len(wanted) - len(drafted)} not asked for: the budget is used up, or the endpoint is down")
    if as_json:
        print_json([{"story": d.story, "note": list(d.note), "reason": d.reason, "cached": d.cached} for d in drafted])


@stories.command("notes")
@as_json
def notes_(as_json: bool) -> None:
    """List the stories whose note waits for an editor; `stories note ID` shows it, `--approve` lets readers see it."""
    from newsletter.newsroom import notes

    with open_room() as room:
        _print_stories(notes.held(room), as_json, "No note waits.")


# --- related reading and copies ---------------------------------------------------------------------------


@stories.command()
@click.argument("story_id", metavar="[ID]", required=False)
@as_json
def related(story_id: str | None, as_json: bool) -> None:
    """Show the related reading of one story, or of every ready story, with scores and reasons."""
    from newsletter.newsroom import related as links

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
            for row in rows:
                other = others[row.id]
                click.echo(f"  {row.score:5.2f}  {other.title}  ({other.outlet}; shares: {', '.join(row.reasons)})")


@stories.command()
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take the pin away.")
@by
def pin(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Offer the story OTHER under a story before all else."""
    _choose(story_id, other, "pin", off, by, "is pinned under")


@stories.command()
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take the ban away.")
@by
def ban(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Never offer the story OTHER under a story."""
    _choose(story_id, other, "ban", off, by, "is banned under")


@stories.command()
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take that back.")
@by
def join(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Say that two stories are one: an issue carries the one whose source has the higher priority, then the earlier."""
    _choose(story_id, other, "together", off, by, "is one with")


@stories.command()
@story_argument
@click.argument("other")
@click.option("--off", is_flag=True, help="Take that back.")
@by
def part(story_id: str, other: str, off: bool, by: str | None) -> None:
    """Say that two stories are not one, however alike they are."""
    _choose(story_id, other, "apart", off, by, "is not one with")


@stories.command()
@click.argument("story_id", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(1), metavar="N", default=20, help="At most N pairs; 20 by default.")
@as_json
def same(story_id: str | None, limit: int, as_json: bool) -> None:
    """Suggest pairs of stories that may tell of one event; `join` and `part` answer."""
    from newsletter.newsroom import related as links

    with open_room() as room:
        links.keep_up(room, at_most=AT_ARRIVAL)
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
        click.echo(f"{pair.score:.2f}  {pair.story.id}  {_cut(pair.story.title)}")
        click.echo(f"      {pair.other.id}  {_cut(pair.other.title)}  (shares: {', '.join(pair.reasons)})")


def _choose(story_id: str, other: str, choice: str, off: bool, by: str | None, words: str) -> None:
    from newsletter.errors import NothingToDoError
    from newsletter.newsroom import related as links

    with open_room() as room:
        if not off:
            links.choose(room, story_id, other, links.Choice(choice), _who(by))
        elif not links.forget(room, story_id, other, links.Choice(choice)):
            raise NothingToDoError(f"nobody said that {other} {words} {story_id}")
    click.echo(f"{other} {words} {story_id}{' no longer' if off else ''}")


def _set_status(story_id: str, status: str, by: str | None, reason: str) -> None:
    from newsletter.model import StoryStatus
    from newsletter.newsroom import stories as desk

    with open_room() as room:
        desk.set_status(room, story_id, StoryStatus(status), _who(by), reason)
    click.echo(f"{story_id} is {status}")


def _who(by: str | None) -> str:
    return by or getpass.getuser()


def _status(text: str | None) -> StoryStatus | None:
    from newsletter.errors import InputError
    from newsletter.model import StoryStatus

    try:
        return StoryStatus(text) if text else None
    except ValueError:
        raise InputError(f"{text!r} is no status; there are {', '.join(StoryStatus)}") from None


def _print_stories(found: Sequence[Story], as_json: bool, empty: str) -> None:
    if as_json:
        print_json([_document(story) for story in found])
        return
    rows = [
        (story.id, story.country or "?", f"{story.published_at:%Y-%m-%d %H:%M}", story.outlet, _cut(story.title))
        for story in found
    ]
    print_table(("id", "in", "published (UTC)", "outlet", "headline"), rows, empty)


def _print_note(story: Story) -> None:
    if not story.note:
        click.echo(f"{story.id} has no note")
        return
    head = "Editor's note" if story.note_origin == "human" else "AI Editor's Summary"
    state = f"approved by {story.note_approved_by}" if story.note_approved_by else "held: no editor has approved it"
    click.secho(f"{head} ({state if story.note_origin == 'model' or story.note_approved_by else 'shown'})", bold=True)
    click.echo("\n\n".join(story.note))
    if made := story.note_provenance:
        whisper(f"drafted by {made.model}, prompt {made.prompt}, story text {made.input}")


def _document(story: Story) -> dict[str, object]:
    from newsletter import gather

    return {
        "id": story.id,
        "status": str(story.status),
        "country_origin": story.country_origin,
        "revision": story.revision,
        "cluster": story.cluster,
        **gather.story_document(story),
    }


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str, width: int = 70) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
