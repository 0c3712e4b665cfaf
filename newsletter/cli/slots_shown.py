"""Slots, dates and times of day as the `schedule` commands share them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import print_table

if TYPE_CHECKING:
    from newsletter.plan import Slot

__all__ = ["DATE", "clock_argument", "print_slots", "reason"]

DATE = click.DateTime(["%Y-%m-%d"])
reason = click.option("--reason", metavar="TEXT", default="", help="Why; it stands beside the slot.")


def _clock(_context: click.Context, _parameter: click.Parameter, text: str) -> time | None:
    """The time of day; None for `now`."""
    if text == "now":
        return None
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - of the newsletter's clocks
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time of day; write 07:30, or now") from None


clock_argument = click.argument("at", metavar="HH:MM|now", callback=_clock)


def print_slots(slots: Sequence[Slot], empty: str = "Nothing is due in the coming year.") -> None:
    """A table of slots."""
    rows = [
        (
            f"{slot.newsletter}{f' ({slot.number})' if slot.number > 1 else ''}",
            slot.date.strftime("%a %d %b %Y"),
            f"{slot.local:%H:%M %Z}" if slot.local else "",
            f"{slot.due:%Y-%m-%d %H:%M}" if slot.due else "",
            slot.note or "",
        )
        for slot in slots
    ]
    print_table(("newsletter", "date", "local", "UTC", ""), rows, empty)
