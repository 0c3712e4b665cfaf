"""`newsletter issue clicks`: how often the stories of an issue were followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, issue_argument, open_room, print_json, print_table

if TYPE_CHECKING:
    from newsletter.model import IssueId

__all__ = ["clicks"]


@click.command(cls=DeskCommand)
@issue_argument
@as_json
def clicks(issue_id: IssueId, as_json: bool) -> None:
    """Tell how often each story of an issue was followed from its mails, in aggregate, and never under ten.

    Counted where schedule.yaml says `clicks: true`; off by default.
    """
    from newsletter.newsroom.readership.clicks import clicks_of

    with open_room() as room:
        room.issues.get(issue_id)
        found = clicks_of(room, issue_id)
    if as_json:
        figures = found.as_json() if found else {"stories": [], "hours": [], "scanned": None}
        print_json({"issue": str(issue_id), "counted": found is not None} | figures)
        return
    if found is None:
        click.echo(f"Nothing is counted for {issue_id}: `clicks: true` in schedule.yaml counts from the next issue on.")
        return
    rows = [(each.title, "under ten" if each.clicks is None else f"{each.clicks:,}") for each in found.stories]
    print_table(("story", "clicks"), rows, "It has no story.")
    scanned = "under ten" if found.scanned is None else f"{found.scanned:,}"
    click.echo(f"by scanners, counted apart: {scanned}")
