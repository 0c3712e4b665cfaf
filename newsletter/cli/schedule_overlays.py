"""`newsletter schedule pause`, `resume`, `skip`, `move`, `extra`, `overlays`: decisions beside schedule.yaml."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import DeskCommand, as_json, by, open_room, print_json, print_table, who
from newsletter.cli.slots_shown import DATE, clock_argument, print_slots, reason

if TYPE_CHECKING:
    from newsletter.newsroom import Newsroom
    from newsletter.newsroom.planning.scheduling import Decided
    from newsletter.plan import Overlay

__all__ = ["extra", "move", "overlays", "pause", "resume", "skip"]

number = click.option("--number", type=click.IntRange(1), default=1, help="Of the issue, where a date has several.")


@click.command(cls=DeskCommand)
@click.argument("name")
@click.option("--from", "first", type=DATE, help="The first date without an issue; today by default.")
@click.option("--until", type=DATE, help="The last date without an issue; by default until somebody resumes it.")
@reason
@by
def pause(name: str, first: datetime | None, until: datetime | None, reason: str, by: str | None) -> None:
    """Let no issue of NAME appear: each of its dates is recorded as skipped, with your name and reason.

    An issue that waits to be built, approved or sent is skipped at once; one that is being sent is not touched.
    """
    from newsletter.newsroom.planning import scheduling

    dates = {"first": first.date() if first else None, "until": until.date() if until else None}
    with open_room() as room:
        _tell(room, name, scheduling.pause(room, name, who=who(by), why=reason, **dates))


@click.command(cls=DeskCommand)
@click.argument("name")
@by
def resume(name: str, by: str | None) -> None:
    """End the pause of NAME: from now on its issues appear again, also today's if its hour is still to come."""
    from newsletter.newsroom.planning import scheduling

    with open_room() as room:
        _tell(room, name, scheduling.resume(room, name, who=who(by)), "resumed")


@click.command(cls=DeskCommand)
@click.argument("name")
@click.argument("date", metavar="DATE", type=DATE)
@click.option("--undo", is_flag=True, help="Let it appear after all, if its hour is still to come.")
@number
@reason
@by
def skip(name: str, date: datetime, undo: bool, number: int, reason: str, by: str | None) -> None:
    """Let the issue of NAME on DATE not appear; it is recorded as skipped, with your name and reason."""
    from newsletter.newsroom.planning import scheduling

    with open_room() as room:
        if undo:
            decided = scheduling.take_skip_back(room, name, date.date(), who=who(by), number=number)
            _tell(room, name, decided, "the skip is taken back")
        else:
            decided = scheduling.skip(room, name, date.date(), who=who(by), why=reason, number=number)
            _tell(room, name, decided)


@click.command(cls=DeskCommand)
@click.argument("name")
@click.argument("date", metavar="DATE", type=DATE)
@clock_argument
@number
@reason
@by
def move(name: str, date: datetime, at: time | None, number: int, reason: str, by: str | None) -> None:
    """Send the issue of NAME on DATE at another time of that date, or now: as soon as it is built and approved.

    Draft, lock and approval deadline keep their distance to it. Moving it to the hour of schedule.yaml moves it back.
    """
    from newsletter.newsroom.planning import scheduling

    with open_room() as room:
        _tell(room, name, scheduling.move(room, name, date.date(), at, who=who(by), why=reason, number=number))


@click.command(cls=DeskCommand)
@click.argument("name")
@click.argument("date", metavar="DATE", type=DATE)
@clock_argument
@reason
@by
def extra(name: str, date: datetime, at: time | None, reason: str, by: str | None) -> None:
    """Plan one more issue of NAME on DATE: built, approved and sent as any other. Prints its id."""
    from newsletter.newsroom.planning import scheduling

    with open_room() as room:
        _tell(room, name, scheduling.add_issue(room, name, date.date(), at, who=who(by), why=reason))


@click.command(cls=DeskCommand)
@click.option("--newsletter", metavar="NAME", help="Of this one only.")
@click.option("--all", "everything", is_flag=True, help="Also what was taken back or is over.")
@as_json
def overlays(newsletter: str | None, everything: bool, as_json: bool) -> None:
    """List what people decided beside schedule.yaml: who, when, why, and how to take it back."""
    with open_room() as room:
        if newsletter:
            room.newsletter(newsletter)
        today = room.clock.now().date()
        found = [
            each
            for each in room.overlays.list(newsletter)
            if everything or (each.ended_at is None and (each.last is None or each.last >= today))
        ]
    if as_json:
        print_json([_document(each) for each in found])
        return
    rows = [(each.newsletter, _dates(each), each.note, f"{each.made_at:%Y-%m-%d %H:%M}", _end(each)) for each in found]
    head = ("newsletter", "dates", "what", "since (UTC)", "ends by")
    print_table(head, rows, "Nothing is decided beside schedule.yaml.")


def _tell(room: Newsroom, name: str, decided: Decided, did: str | None = None) -> None:
    """What became of the issues that were there, and what is next."""
    overlay = decided.overlay
    click.echo(f"{name}, {_dates(overlay)}: {did or overlay.note}")
    for sentence in decided.said:
        click.echo(f"  {sentence}")
    click.echo("")
    print_slots(room.timetable.upcoming(room.clock.now(), 5, [room.newsletter(name)]))


def _dates(each: Overlay) -> str:
    if each.last is None:
        return f"from {each.first}"
    dates = f"{each.first}" if each.first == each.last else f"{each.first} to {each.last}"
    return f"{dates} ({each.number})" if each.number > 1 else dates


def _end(each: Overlay) -> str:
    if each.ended_at is not None:
        return f"ended {each.ended_at:%Y-%m-%d %H:%M} by {each.ended_by}"
    number = f" --number {each.number}" if each.number > 1 else ""
    match str(each.kind):
        case "pause":
            return f"schedule resume {each.newsletter}"
        case "skip":
            return f"schedule skip {each.newsletter} {each.first}{number} --undo"
        case "move":
            return f"schedule move {each.newsletter} {each.first} HH:MM{number}"
    return f"schedule skip {each.newsletter} {each.first}{number}"


def _document(each: Overlay) -> dict[str, object]:
    return {
        "newsletter": each.newsletter,
        "kind": str(each.kind),
        "first": each.first.isoformat(),
        "last": each.last.isoformat() if each.last else None,
        "number": each.number or None,
        "due_at": each.due_at.isoformat() if each.due_at else None,
        "who": each.who,
        "why": each.why,
        "made_at": each.made_at.isoformat(),
        "ended_at": each.ended_at.isoformat() if each.ended_at else None,
        "ended_by": each.ended_by,
    }
