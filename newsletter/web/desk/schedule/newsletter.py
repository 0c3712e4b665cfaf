"""One newsletter's schedule: in words, its next runs, what people decided beside the file, and what may be decided."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.plan import Overlay, Timetable
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.list import next_due, standing_words
from newsletter.web.pages import desk_page, may
from newsletter.web.words import approval_words, when_words

__all__ = ["in_force", "schedule_newsletter"]

RUNS = 10


def schedule_newsletter(ask: Ask) -> Response:
    """The newsletter that the address names."""
    newsletter = ask.room.newsletter(ask.path["name"])
    timetable = ask.room.timetable
    today = ask.now.astimezone(newsletter.timezone).date()
    return desk_page(
        ask,
        "schedule_newsletter.html",
        newsletter=newsletter,
        address=f"/schedules/{newsletter.name}",
        when=when_words(newsletter),
        approval=approval_words(newsletter),
        standing=standing_words(timetable, newsletter, ask.now),
        next=next_due(timetable, newsletter, ask.now),
        runs=timetable.upcoming(ask.now, RUNS, [newsletter]),
        overlays=[each for each in in_force(timetable, newsletter.name) if each.last is None or each.last >= today],
        today=today,
        counted=ask.figures.audience_of(newsletter),
        may_change=may(ask, "schedule_pause"),
    )


def in_force(timetable: Timetable, name: str) -> list[Overlay]:
    """What is decided about a newsletter and was not taken back, latest first."""
    return [each for each in reversed(timetable.overlays.get(name, ())) if each.ended_at is None]
