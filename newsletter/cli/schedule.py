"""`newsletter schedule …`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from newsletter.cli.audience import newsletter_audience
from newsletter.cli.console import DeskGroup, as_json, by, open_room, print_json, print_table, whisper, who
from newsletter.cli.schedule_file import apply, schema, set_
from newsletter.cli.schedule_overlays import extra, move, overlays, pause, resume, skip
from newsletter.cli.slots_shown import DATE, print_slots

if TYPE_CHECKING:
    from newsletter.newsroom import Newsroom
    from newsletter.newsroom.planning.backfilling import WouldBuild
    from newsletter.plan import Newsletter, Overlay


@click.group(cls=DeskGroup)
def schedule() -> None:
    """Check schedule.yaml, see what is due when, and decide beside it: pause, skip, move, one issue more."""


for command in (pause, resume, skip, move, extra, overlays, set_, apply, schema, newsletter_audience):
    schedule.add_command(command)


@schedule.command()
@as_json
def check(as_json: bool) -> int:
    """Check schedule.yaml: every fault with file, line and column; ends with 2 when there is one."""
    from newsletter.errors import PlanError

    with open_room() as room:
        try:
            plan = room.in_force.read_file()
        except PlanError as error:
            if not as_json:
                raise
            print_json(
                [
                    {"file": p.file, "line": p.line, "column": p.column, "path": p.path, "message": p.message}
                    for p in error.problems
                ]
            )
            return 2
        _whisper_standing(room)
    for warning in plan.warnings:
        whisper(f"warning: {warning}")
    if as_json:
        print_json([])
    else:
        click.echo(f"schedule.yaml is valid: {len(plan.newsletters)} newsletters, {len(plan.sources)} sources")
    return 0


@schedule.command("list")
@as_json
def list_(as_json: bool) -> None:
    """List the newsletters with their times, in words."""
    from newsletter.newsroom.documents import newsletter_document, paused

    with open_room() as room:
        timetable, now = room.timetable, room.clock.now()
        found = list(timetable.plan.newsletters.values())
        pauses = {each.name: paused(timetable, each, now) for each in found}
        _whisper_standing(room)
    if as_json:
        print_json([newsletter_document(timetable, each, now) for each in found])
        return
    rows = [
        (
            each.name,
            _in_words(each),
            each.timezone.key,
            ", ".join(each.countries),
            _standing(each, pauses[each.name]),
        )
        for each in found
    ]
    print_table(("newsletter", "when", "zone", "countries", ""), rows, "schedule.yaml names no newsletter.")


@schedule.command("next")
@click.option("-n", "count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@click.option("--newsletter", metavar="NAME", help="Only this one.")
@as_json
def next_(count: int, newsletter: str | None, as_json: bool) -> None:
    """Print the next slots: local time, UTC, and what is unusual about them."""
    from newsletter.newsroom.documents import slot_document

    with open_room() as room:
        chosen = [room.newsletter(newsletter)] if newsletter else None
        slots = room.timetable.upcoming(room.clock.now(), count, chosen)
        _whisper_standing(room)
    if as_json:
        print_json([slot_document(slot) for slot in slots])
    else:
        print_slots(slots)


@schedule.command()
@click.argument("name")
@click.option("--date", type=DATE, help="Local date of the slot; today's by default.")
@click.option("--number", type=click.IntRange(1), default=1, help="Of the issue, where the date has several.")
@click.option("--dry-run", is_flag=True, help="Only say what would be built; write nothing.")
@as_json
@by
def run(name: str, date: datetime | None, number: int, dry_run: bool, as_json: bool, by: str | None) -> None:
    """Run a slot of NAME by hand: gather, build the draft, and approve it where the schedule says `auto`.

    It never sends: `newsletter issue send` does, or `newsletter run` when the issue is due.
    """
    from newsletter.newsroom.intake import gathering
    from newsletter.newsroom.issue import issues
    from newsletter.newsroom.planning import backfilling

    day = date.date() if date else None
    with open_room() as room:
        room.newsletter(name)
        if dry_run:
            _show(backfilling.would_build(room, name, day, number), as_json)
            return
        for polled in gathering.gather_all(room, gathering.polled_sources(room)):
            if polled.error:
                whisper(f"failed: {polled.error}")
        made = issues.build(room, name, day, number=number, who=who(by))
    if as_json:
        print_json({"issue": str(made.id), "state": str(made.state), "reason": made.reason})
    else:
        click.echo(str(made.id))
        whisper(f"{made.state}{': ' + made.reason if made.reason else ''}")


def _show(found: WouldBuild, as_json: bool) -> None:
    from newsletter.newsroom.documents import slot_document

    present = str(found.present.state) if found.present else None
    stories = {section.country: len(section.stories) for section in found.snapshot.sections}
    if as_json:
        document = {"issue": str(found.issue_id), "state": str(found.state), "reason": found.reason, "present": present}
        print_json({**document, "slot": slot_document(found.slot), "stories": stories})
        return
    click.echo(f"{found.issue_id} would be {found.state}{': ' + found.reason if found.reason else ''}")
    click.echo(f"  it is {present or 'not there yet'}; due {found.slot.instant:%Y-%m-%d %H:%M} UTC")
    if found.slot.note:
        click.echo(f"  {found.slot.note}")
    counts = ", ".join(f"{country} {count}" for country, count in stories.items())
    click.echo(f"  {sum(stories.values())} stories{': ' + counts if counts else ''}")
    whisper("nothing was gathered and nothing written; without --dry-run the sources are asked first")


def _whisper_standing(room: Newsroom) -> None:
    """Which revision is in force, beside the answer."""
    from newsletter.errors import PlanError
    from newsletter.newsroom.planning import applying

    try:
        whisper(applying.standing(room).words)
        if room.plan_fault is not None:
            whisper("A newer revision is broken; `newsletter schedule check` tells where.")
    except PlanError as error:
        whisper(f"The schedule that was applied cannot be followed here:\n{error}")


def _standing(each: Newsletter, paused: Overlay | None) -> str:
    if not each.enabled:
        return "switched off"
    return paused.note if paused else f"{each.approval.mode} approval"


def _in_words(each: Newsletter) -> str:
    from newsletter.newsroom.documents import DAYS

    numbers = sorted(each.days)
    if not numbers:
        return "by hand"
    if len(numbers) == 7:
        days = "every day"
    elif numbers == [1, 2, 3, 4, 5]:
        days = "Mon to Fri"
    else:
        days = ", ".join(DAYS[number - 1] for number in numbers)
    return f"{each.at:%H:%M}, {days}"
