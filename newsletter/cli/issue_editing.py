"""`newsletter issue edit`, and the commands about which stories a draft tells, in which order; its revisions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import as_json, by, issue_argument, open_room, print_json, print_table, who

if TYPE_CHECKING:
    from newsletter.model import Issue, IssueId, Story
    from newsletter.newsroom import Newsroom

_before = click.option("--before", metavar="STORY", help="In front of this one; behind all of its country without it.")
_country = click.option("--country", metavar="CODE", help="Under this country of the newsletter.")


@click.command()
@issue_argument
@click.option("--subject", metavar="TEXT", help="The subject line of every edition; an empty one is made again.")
@click.option("--preheader", metavar="TEXT", help="What an inbox shows behind it; an empty one is made again.")
@click.option(
    "--word", metavar="TEXT", multiple=True, help="Words before the stories, an empty line between paragraphs."
)
@by
def edit(issue_id: IssueId, subject: str | None, preheader: str | None, word: tuple[str, ...], by: str | None) -> None:
    """Set an editor's own subject, preheader, or word to the readers.

    Makes a new revision and voids an approval. A later `issue build` keeps the words. --word "" takes the word out.
    """
    from newsletter.errors import InputError
    from newsletter.newsroom.issue import editing

    if subject is None and preheader is None and not word:
        raise InputError("nothing to edit; name --subject, --preheader or --word")
    paragraphs = tuple(part for text in word for part in re.split(r"\n\s*\n", text)) or None
    with open_room() as room:
        before = room.issues.get(issue_id)
        edited = editing.edit(room, before.id, subject=subject, preheader=preheader, word=paragraphs, who=who(by))
    _say(before, edited)


@click.command()
@issue_argument
@as_json
def tray(issue_id: IssueId, as_json: bool) -> None:
    """List what the issue could tell and does not: new since its draft, without room in it, dropped."""
    from newsletter.newsroom.issue import editing

    with open_room() as room:
        found = editing.tray(room, room.issues.get(issue_id))
    heaps = {"new": found.new, "left out": found.left_out, "dropped": found.dropped}
    if as_json:
        print_json(
            {
                "since": found.since.isoformat() if found.since else None,
                **{name.replace(" ", "_"): [_row(each) for each in heap] for name, heap in heaps.items()},
            }
        )
        return
    rows = [(name, each.id, each.country or "", each.title) for name, heap in heaps.items() for each in heap]
    print_table(("why", "story", "country", "title"), rows, "Nothing waits: the issue tells all there is for it.")


@click.command()
@issue_argument
@click.argument("story")
@_country
@_before
@by
def add(issue_id: IssueId, story: str, country: str | None, before: str | None, by: str | None) -> None:
    """Take STORY (its id) into the issue, from its tray or from anywhere."""
    from newsletter.newsroom.issue import editing

    _edited(issue_id, lambda room: editing.take_in(room, issue_id, story, who=who(by), country=country, before=before))


@click.command()
@issue_argument
@click.argument("story", nargs=-1, required=True)
@by
def drop(issue_id: IssueId, story: Sequence[str], by: str | None) -> None:
    """Take each STORY (its id) out of the issue; no build brings it back."""
    from newsletter.newsroom.issue import editing

    with open_room() as room:
        old = room.issues.get(issue_id)
        for each in story:
            edited = editing.drop(room, issue_id, each, who=who(by))
        _say(old, edited)


@click.command()
@issue_argument
@click.argument("story")
@_country
@_before
@by
def move(issue_id: IssueId, story: str, country: str | None, before: str | None, by: str | None) -> None:
    """Put STORY (its id) elsewhere in the issue."""
    from newsletter.newsroom.issue import editing

    _edited(issue_id, lambda room: editing.move(room, issue_id, story, who=who(by), country=country, before=before))


@click.command()
@issue_argument
@click.argument("story", required=False)
@by
def lead(issue_id: IssueId, story: str | None, by: str | None) -> None:
    """Let STORY (its id) open the subject line; without one, the first of the issue does again."""
    from newsletter.newsroom.issue import editing

    _edited(issue_id, lambda room: editing.lead(room, issue_id, story, who=who(by)))


@click.command()
@issue_argument
@as_json
def revisions(issue_id: IssueId, as_json: bool) -> None:
    """List the revisions of what the issue says: when, who, what was done."""
    with open_room() as room:
        found = room.revisions.list(room.issues.get(issue_id).id)
    if as_json:
        print_json(
            [{"revision": each.number, "at": each.at.isoformat(), "who": each.who, "what": each.what} for each in found]
        )
        return
    rows = [(each.number, f"{each.at:%Y-%m-%d %H:%M:%S}", each.who, each.what) for each in found]
    print_table(("revision", "at (UTC)", "who", "what"), rows, "No revision yet: `newsletter issue build NEWSLETTER`.")


@click.command()
@issue_argument
@click.argument("revision", type=click.IntRange(1))
@by
def restore(issue_id: IssueId, revision: int, by: str | None) -> None:
    """Have the issue say again what it said in REVISION, in a new revision; stories are told as they are now."""
    from newsletter.newsroom.issue import editing

    _edited(issue_id, lambda room: editing.restore(room, issue_id, revision, who=who(by)))


def _edited(issue_id: IssueId, edit: Callable[[Newsroom], Issue]) -> None:
    """Have the issue edited, and say what became of it."""
    with open_room() as room:
        _say(room.issues.get(issue_id), edit(room))


def _say(before: Issue, edited: Issue) -> None:
    if edited.revision == before.revision:
        click.echo(f"{edited.id} says that already")
        return
    void = "; its approval is void" if before.approved_by and not edited.approved_by else ""
    why = f" ({edited.reason})" if edited.reason else ""
    click.echo(f"{edited.id} is {edited.state}{why}, revision {edited.revision}{void}")


def _row(each: Story) -> dict[str, object]:
    return {"id": each.id, "title": each.title, "outlet": each.outlet, "country": each.country}
