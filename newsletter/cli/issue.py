"""`newsletter issue …`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.audience import audience
from newsletter.cli.console import (
    DeskGroup,
    as_json,
    by,
    issue_argument,
    open_room,
    print_json,
    print_table,
    whisper,
    who,
)
from newsletter.cli.issue_clicks import clicks
from newsletter.cli.issue_corrections import breaking, cancel, correct, undo
from newsletter.cli.issue_editing import add, drop, edit, lead, move, restore, revisions, tray
from newsletter.cli.issue_outcomes import resolve, retry, stop
from newsletter.cli.issue_preview import check, preview
from newsletter.cli.issue_sending import proof, recipients, send, status

if TYPE_CHECKING:
    from newsletter.model import Issue, IssueId


@click.group(cls=DeskGroup)
def issue() -> None:
    """Build, preview, check, proof, approve and send issues. ISSUE is an id like asia-ai-daily/2026-05-27."""


for command in (
    *(edit, tray, add, drop, move, lead, revisions, restore),
    *(audience, breaking, preview, check, proof, send, stop, undo, cancel, correct),
    *(status, recipients, clicks, retry, resolve),
):
    issue.add_command(command)


@issue.command()
@click.argument("newsletter")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Local date of the issue; today's by default.")
@click.option("--extra", is_flag=True, help="Make a second issue of the day.")
@as_json
@by
def build(newsletter: str, date: datetime | None, extra: bool, as_json: bool, by: str | None) -> None:
    """Make or refresh the draft of NEWSLETTER's issue and print its id; never sends."""
    from newsletter.newsroom.documents import issue_document
    from newsletter.newsroom.issue import issues

    with open_room() as room:
        made = issues.build(room, newsletter, date.date() if date else None, extra=extra, who=who(by))
        if as_json:
            print_json(issue_document(room, made))
            return
    click.echo(str(made.id))
    placed = made.snapshot.placed if made.snapshot else ()
    countries = len(made.snapshot.sections) if made.snapshot else 0
    whisper(
        f"{made.state}{': ' + made.reason if made.reason else ''};"
        f" {len(placed)} stories from {countries} countries, revision {made.revision}"
    )


@issue.command("list")
@click.option("--newsletter", metavar="NAME", help="Only issues of this newsletter.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N")
@as_json
def list_(newsletter: str | None, limit: int, as_json: bool) -> None:
    """List issues, latest due first."""
    from newsletter.newsroom.documents import issue_row

    with open_room() as room:
        found = room.issues.list(newsletter, limit)
        if as_json:
            print_json([issue_row(each) for each in found])
            return
        rows = [
            (each.id, each.state, f"{each.due_at:%Y-%m-%d %H:%M}", each.approved_by or "", each.reason)
            for each in found
        ]
    print_table(
        ("issue", "state", "due (UTC)", "approved by", "why"),
        rows,
        "No issues yet: `newsletter issue build NEWSLETTER`.",
    )


@issue.command()
@issue_argument
@as_json
def show(issue_id: IssueId, as_json: bool) -> None:
    """Show one issue: its stories by country with related reading, its editions, and what happened to it."""
    from newsletter.newsroom.documents import issue_document
    from newsletter.newsroom.issue import previews

    with open_room() as room:
        found = room.issues.get(issue_id)
        if as_json:
            print_json(issue_document(room, found))
            return
        click.secho(f"{found.id}  {found.state}{': ' + found.reason if found.reason else ''}", bold=True)
        for section in found.snapshot.sections if found.snapshot else ():
            click.secho(f"\n{section.country}", bold=True)
            for placed in section.stories:
                named = click.style(placed.story.id, dim=True)
                click.echo(f"  {placed.story.title}  (via {placed.story.outlet})  {named}")
                for related in placed.related:
                    click.echo(f"      related: {related.title}  (shares: {', '.join(related.reasons)})")
        if found.snapshot:
            click.secho("\nEditions", bold=True)
            for reach in previews.editions(room, found):
                click.echo(f"  {reach.edition.key}: {reach.readers} readers")
        click.secho("\nHistory", bold=True)
        for step in room.issues.history(found.id):
            why = f": {step.why}" if step.why else ""
            plan = f"  [schedule {step.plan}]" if step.plan else ""
            what = f"{step.before or 'new'} → {step.after} by {step.who}{why}"
            click.echo(f"  {step.at:%Y-%m-%d %H:%M:%S} UTC  {what}{plan}")


@issue.command()
@issue_argument
@by
def approve(issue_id: IssueId, by: str | None) -> None:
    """Seal the exact bytes of the draft for sending; any later edit voids it."""
    from newsletter.newsroom.issue import issues, previews

    with open_room() as room:
        approved = issues.approve(room, issue_id, who(by))
        readers = sum(reach.readers for reach in previews.editions(room, approved))
    if approved.approved_by is None:
        click.echo(f"{approved.id}: {approved.reason}")
    else:
        click.echo(f"{approved.id} approved by {approved.approved_by}; {_leaves(approved, readers)}")


def _leaves(approved: Issue, readers: int) -> str:
    from newsletter.newsroom.people.saying import readers_words

    to = f"to {readers_words(readers)}"
    if approved.not_before is None:
        return f"due {approved.due_at:%Y-%m-%d %H:%M} UTC, {to}"
    return (
        f"its hour has passed, so `newsletter run` sends it {to} from {approved.not_before:%Y-%m-%d %H:%M:%S} UTC on;"
        f" until then `newsletter issue undo {approved.id}` takes it back"
    )
