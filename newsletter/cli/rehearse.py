"""`newsletter rehearse`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from newsletter.cli.console import (
    DeskCommand,
    as_json,
    open_room,
    print_json,
    print_table,
    progress_bar,
    whisper,
)

if TYPE_CHECKING:
    from newsletter.schedule.rehearsed import Rehearsal, RehearsedIssue

HEAD = ("due", "newsletter", "built", "state", "stories", "editions", "readers", "sent", "excluded", "")

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(cls=DeskCommand)
@click.argument("newsletters", metavar="NEWSLETTER...", nargs=-1, required=True)
@click.option("--from", "first", type=_DAY, required=True, help="The first day, as the newsletters' own dates.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day.")
@click.option("--approve", is_flag=True, help="As if an editor approved each draft that passes its checks at once.")
@as_json
def rehearse(newsletters: tuple[str, ...], first: datetime, last: datetime, approve: bool, as_json: bool) -> None:
    """Run days of these newsletters (or `all`) in seconds on a copy of the desk, and print what would have happened.

    The desk stays as it is, no source is asked for stories, and no mail and no alert leaves. Stories are those the desk
    has, each from when it became available; readers are those of today.
    """
    from newsletter.schedule.rehearsal import rehearse as run

    logging.getLogger("newsletter").addHandler(logging.NullHandler())  # its warnings are in what is printed
    with open_room() as room:
        plan = room.plan
        named = list(plan.newsletters) if newsletters == ("all",) else list(dict.fromkeys(newsletters))
        zones = {name: room.newsletter(name).timezone for name in named}
        with progress_bar("rehearsing", quiet=as_json) as progress:
            rehearsal = run(room, named, first.date(), last.date(), approve=approve, progress=progress)
    if as_json:
        print_json(rehearsal.as_json())
    else:
        _print(rehearsal, zones)


def _print(rehearsal: Rehearsal, zones: Mapping[str, ZoneInfo]) -> None:
    rows = [_row(issue, zones[issue.id.newsletter]) for issue in rehearsal.issues]
    print_table(HEAD, rows, "Nothing was due.")
    totals = rehearsal.totals
    states = totals["states"]
    assert isinstance(states, dict)
    click.echo()
    click.echo(
        f"{totals['issues']} issues: " + ", ".join(f"{number} {state}" for state, number in states.items()) + ";"
        f" {totals['sent']:,} messages would have been sent, {totals['excluded']:,} readers left out;"
        f" {totals['deadlines_missed']} approval deadlines missed."
    )
    for remark in rehearsal.remarks:
        whisper(remark)


def _row(issue: RehearsedIssue, zone: ZoneInfo) -> tuple[object, ...]:
    stories = " ".join(f"{country} {number}" for country, number in issue.stories.items())
    excluded = ", ".join(f"{number} {why}" for why, number in issue.excluded.items())
    late = "deadline missed; " if issue.deadline_missed and issue.reason else ""
    return (
        f"{issue.due_at.astimezone(zone):%a %Y-%m-%d %H:%M}",
        issue.id.newsletter,
        f"{issue.built_at.astimezone(zone):%H:%M}" if issue.built_at else "",
        issue.state,
        stories,
        issue.editions or "",
        issue.readers or "",
        issue.sent or "",
        excluded,
        f"{late}{' '.join(issue.reason.split())}".strip(),
    )
