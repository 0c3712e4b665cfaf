"""`newsletter issue audience`, `newsletter schedule audience`: who would get it, by country; who not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, issue_argument, open_room, print_json, print_table

if TYPE_CHECKING:
    from newsletter.model import IssueId
    from newsletter.newsroom.dispatch.counting import Counted

__all__ = ["audience", "newsletter_audience"]


@click.command(cls=DeskCommand)
@issue_argument
@as_json
def audience(issue_id: IssueId, as_json: bool) -> None:
    """Count who would get ISSUE at this moment, by country, and who would not, by reason. Mails nobody.

    Ends with 4 once the audience is frozen.
    """
    from newsletter.newsroom.dispatch.counting import count_issue

    with open_room() as room:
        counted = count_issue(room, room.issues.get(issue_id))
    _show({"issue": str(issue_id)}, counted, as_json=as_json)


@click.command("audience", cls=DeskCommand)
@click.argument("name")
@as_json
def newsletter_audience(name: str, as_json: bool) -> None:
    """Count who would get an issue of the newsletter NAME with stories of all its countries, and who would not."""
    from newsletter.newsroom.dispatch.counting import count_newsletter

    with open_room() as room:
        counted = count_newsletter(room, room.newsletter(name))
    _show({"newsletter": name}, counted, as_json=as_json)


def _show(of: dict[str, object], counted: Counted, *, as_json: bool) -> None:
    reasons = counted.reasons
    if as_json:
        print_json(
            {
                **of,
                "candidates": counted.candidates,
                "readers": counted.readers,
                "excluded": {reason: counted.excluded.get(reason, 0) for reason in reasons},
                "countries": {
                    country: {"readers": each.get("", 0), **{reason: each.get(reason, 0) for reason in reasons}}
                    for country, each in counted.countries.items()
                },
            }
        )
        return
    rows = [
        (country, each.get("", 0), *(each.get(reason, 0) for reason in reasons))
        for country, each in counted.countries.items()
    ]
    everybody = ("everybody, once", counted.readers, *(counted.excluded.get(reason, 0) for reason in reasons))
    names = (reason.replace("_", " ") for reason in reasons)
    print_table(("country", "get it", *names), [*rows, everybody], "")
