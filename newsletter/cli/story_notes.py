"""`newsletter stories note`, `draft` and `notes`: what a model or an editor adds to a story."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, by, open_room, print_json, whisper, who
from newsletter.cli.story_shown import print_stories, story_argument, why

if TYPE_CHECKING:
    from newsletter.model import Story

__all__ = ["draft", "note", "notes_"]


@click.command(cls=DeskCommand)
@story_argument
@click.option("--approve", is_flag=True, help="Let readers see it, under your name.")
@click.option("--reject", is_flag=True, help="Take it away, for good.")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Put your own note in its place: paragraphs divided by empty lines.",
)
@by
@why
def note(story_id: str, approve: bool, reject: bool, write: Path | None, by: str | None, reason: str) -> None:
    """Show a story's note and where it came from, or decide about it."""
    from newsletter.errors import InputError
    from newsletter.newsroom.intake import stories as desk

    if approve + reject + bool(write) > 1:
        raise InputError("--approve, --reject and --write each stand alone; nothing was done")
    with open_room() as room:
        if write:
            desk.write_note(room, story_id, _words(write), who(by))
            click.echo(f"{story_id} has an editor's note by {who(by)}")
        elif approve:
            desk.approve_note(room, story_id, who(by))
            click.echo(f"the note of {story_id} is approved by {who(by)}")
        elif reject:
            desk.reject_note(room, story_id, who(by), reason)
            click.echo(f"{story_id} has no note")
        else:
            _print_note(room.stories.get(story_id))


@click.command(cls=DeskCommand)
@click.argument("story_ids", metavar="[ID]...", nargs=-1)
@click.option("--limit", type=click.IntRange(1), metavar="N", default=20, help="At most N stories; 20 by default.")
@click.option("--again", is_flag=True, help="Ask anew where a model was asked before and no note came of it.")
@as_json
def draft(story_ids: Sequence[str], limit: int, again: bool, as_json: bool) -> None:
    """Have a model draft the notes of these stories, or of the latest ones without a note.

    A draft is held: no reader sees it before `stories note ID --approve`. NEWSLETTER_SUMMARY_BUDGET bounds a day.
    """
    from newsletter.errors import NewsletterError, NothingToDoError
    from newsletter.newsroom.intake import notes

    with open_room() as room:
        wanted = [room.stories.get(each) for each in story_ids] or notes.waiting(room, again=again)[:limit]
        drafted = []
        for number, each in enumerate(notes.draft_notes(room, wanted, again=again), 1):
            drafted.append(each)
            if not as_json:
                words = "held, waits for an editor" if each.note else f"no note: {each.reason}"
                before = f" (asked before{'' if each.note else '; --again asks anew'})" if each.cached else ""
                click.echo(f"[{number}/{len(wanted)}] {each.story}: {words}{before}")
        if not wanted and not as_json:
            raise NothingToDoError("no story of the last two days waits for a note")
        if len(drafted) < len(wanted):
            whisper(f"{len(wanted) - len(drafted)} not asked for: the budget is used up, or the endpoint is down")
    if as_json:
        print_json([{"story": d.story, "note": list(d.note), "reason": d.reason, "cached": d.cached} for d in drafted])
    if without := sum(not each.note for each in drafted):
        raise NewsletterError(
            f"{without} of {len(drafted)} got no note; `newsletter stories note ID --write` puts yours"
        )


@click.command("notes", cls=DeskCommand)
@as_json
def notes_(as_json: bool) -> None:
    """List the stories whose note waits for an editor; `stories note ID` shows it, `--approve` lets readers see it."""
    from newsletter.newsroom.intake import notes

    with open_room() as room:
        print_stories(notes.held(room), as_json, "No note waits.")


def _words(file: Path) -> str:
    from newsletter.errors import InputError

    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: byte {error.start + 1} is not UTF-8; save the note as UTF-8") from None


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
