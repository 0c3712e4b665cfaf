"""`newsletter schedule …`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskGroup, as_json, open_room, print_json, print_table, whisper

if TYPE_CHECKING:
    from newsletter.plan import Newsletter, Slot

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FAR = timedelta(days=400)


@click.group(cls=DeskGroup)
def schedule() -> None:
    """Check schedule.yaml, and see what is due when."""


@schedule.command()
@as_json
def check(as_json: bool) -> int:
    """Check schedule.yaml: every fault with file, line and column; ends with 2 when there is one."""
    from newsletter.errors import PlanError

    with open_room() as room:
        try:
            plan = room.plan
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
    with open_room() as room:
        found = list(room.plan.newsletters.values())
    if as_json:
        print_json(
            [
                {
                    "newsletter": each.name,
                    "title": each.title,
                    "at": f"{each.at:%H:%M}",
                    "timezone": each.timezone.key,
                    "days": [DAYS[number - 1].lower() for number in sorted(each.days)],
                    "countries": list(each.countries),
                    "approval": str(each.approval.mode),
                    "enabled": each.enabled,
                }
                for each in found
            ]
        )
        return
    rows = [
        (
            each.name,
            _in_words(each),
            each.timezone.key,
            ", ".join(each.countries),
            f"{each.approval.mode} approval" if each.enabled else "switched off",
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
    from newsletter.plan import slots_between

    with open_room() as room:
        chosen = [room.newsletter(newsletter)] if newsletter else list(room.plan.newsletters.values())
        now = room.clock.now()
    slots: list[Slot] = []
    for each in chosen:
        for number, slot in enumerate(slots_between(each, now, now + FAR), 1):
            slots.append(slot)
            if number == count:
                break
    slots = sorted(slots, key=lambda slot: (slot.instant, slot.newsletter))[:count]
    if as_json:
        print_json([_slot(slot) for slot in slots])
        return
    rows = [
        (
            slot.newsletter,
            slot.date.strftime("%a %d %b %Y"),
            f"{slot.local:%H:%M %Z}" if slot.local else "",
            f"{slot.due:%Y-%m-%d %H:%M}" if slot.due else "",
            slot.note or "",
        )
        for slot in slots
    ]
    print_table(("newsletter", "date", "local", "UTC", ""), rows, "Nothing is due in the coming year.")


@schedule.command()
@click.argument("name")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Local date of the slot; today's by default.")
@as_json
def run(name: str, date: datetime | None, as_json: bool) -> None:
    """Run a slot of NAME by hand: gather, build the draft, and approve it where the schedule says `auto`.

    It never sends: `newsletter issue send` does, or `newsletter run` when the issue is due.
    """
    from newsletter.newsroom import gathering, issues

    with open_room() as room:
        room.newsletter(name)
        for polled in gathering.gather_all(room, gathering.polled_sources(room)):
            if polled.error:
                whisper(f"failed: {polled.error}")
        made = issues.build(room, name, date.date() if date else None)
    if as_json:
        print_json({"issue": str(made.id), "state": str(made.state), "reason": made.reason})
    else:
        click.echo(str(made.id))
        whisper(f"{made.state}{': ' + made.reason if made.reason else ''}")


def _slot(slot: Slot) -> dict[str, object]:
    return {
        "newsletter": slot.newsletter,
        "date": slot.date.isoformat(),
        "local": slot.local.isoformat() if slot.local else None,
        "utc": slot.due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if slot.due else None,
        "note": slot.note,
    }


def _in_words(each: Newsletter) -> str:
    numbers = sorted(each.days)
    if len(numbers) == 7:
        days = "every day"
    elif numbers == [1, 2, 3, 4, 5]:
        days = "Mon to Fri"
    else:
        days = ", ".join(DAYS[number - 1] for number in numbers)
    return f"{each.at:%H:%M}, {days}"
