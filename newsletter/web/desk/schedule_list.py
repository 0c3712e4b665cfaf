"""The newsletters of schedule.yaml with their next runs; where the file has faults, these on their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from starlette.responses import Response

from newsletter.errors import PlanError, Problem
from newsletter.newsroom import applying
from newsletter.plan import Newsletter, Slot, Timetable
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.words import approval_words, when_words

__all__ = ["schedule_list"]

AHEAD = timedelta(days=14)
CONTEXT = 2


@dataclass(frozen=True, slots=True)
class Row:
    """A newsletter, in words, with its slots of the coming 14 days."""

    newsletter: Newsletter
    when: str
    approval: str
    slots: tuple[Slot, ...]
    strip: tuple[tuple[date, Slot | None], ...]

    @property
    def next(self) -> Slot | None:
        """The first slot that an issue appears in."""
        return next((slot for slot in self.slots if slot.due), None)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file with what is wrong on it."""

    number: int
    text: str
    problems: tuple[Problem, ...]


def schedule_list(ask: Ask) -> Response:
    """The schedule in force, with what people decided beside it; the faults of schedule.yaml where that is broken."""
    in_force = ask.room.in_force
    try:
        timetable = ask.room.timetable
        if in_force.applied is None and in_force.fault is not None:
            raise in_force.fault
    except PlanError as error:
        return desk_page(ask, "schedule_broken.html", **_broken(ask, error))
    rows = [_row(timetable, newsletter, ask.now) for newsletter in timetable.plan.newsletters.values()]
    applied = applying.standing(ask.room) if in_force.applied else None
    return desk_page(ask, "schedule_list.html", rows=rows, warnings=timetable.plan.warnings, applied=applied)


def _row(timetable: Timetable, newsletter: Newsletter, now: datetime) -> Row:
    slots = tuple(timetable.slots_between(newsletter, now, now + AHEAD))
    today = now.astimezone(newsletter.timezone).date()
    by_date = {slot.date: slot for slot in slots}
    days = [today + timedelta(days=ahead) for ahead in range(AHEAD.days)]
    strip = tuple((day, by_date.get(day)) for day in days)
    return Row(newsletter, when_words(newsletter), approval_words(newsletter), slots, strip)


def _broken(ask: Ask, error: PlanError) -> dict[str, Any]:
    here = [problem for problem in error.problems if problem.file == ask.room.plan_file.name]
    return {
        "excerpts": list(_excerpts(_lines(ask), here)),
        "elsewhere": [problem for problem in error.problems if problem not in here],
        "count": len(error.problems),
    }


def _lines(ask: Ask) -> Sequence[str]:
    try:
        return ask.room.plan_file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return ()


def _excerpts(lines: Sequence[str], problems: Sequence[Problem]) -> Iterator[list[Line]]:
    """The lines with faults and two on either side, in runs without a gap."""
    near = {n for problem in problems for n in range(problem.line - CONTEXT, problem.line + CONTEXT + 1)}
    wanted = sorted({n for n in near if 1 <= n <= len(lines)} | {problem.line for problem in problems})
    for _, run in groupby(enumerate(wanted), key=lambda pair: pair[1] - pair[0]):
        yield [
            Line(n, lines[n - 1] if n <= len(lines) else "", tuple(p for p in problems if p.line == n)) for _, n in run
        ]
