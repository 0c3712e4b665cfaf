"""The newsletters of schedule.yaml: when, what is next, how the last one went, and the days around today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from starlette.responses import Response

from newsletter.errors import PlanError, Problem
from newsletter.model import Issue, IssueId
from newsletter.newsroom.planning import applying
from newsletter.plan import Newsletter, OverlayKind, Slot, Timetable
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.strip import KINDS, Day, days_around, strip_of
from newsletter.web.pages import desk_page, may
from newsletter.web.words import approval_words, when_words

__all__ = ["excerpts", "next_due", "schedule_list", "standing_words"]

CONTEXT = 2
LOOK_BACK, LOOK_AHEAD = timedelta(days=40), timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Row:
    """A newsletter, in words, with its next run and its last result."""

    newsletter: Newsletter
    when: str
    approval: str
    next: Slot | None
    last: Issue | None
    standing: str
    strip: tuple[Day, ...]


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
        return desk_page(ask, "schedule_broken.html", **_broken(ask, error), may_edit=may(ask, "schedule_file"))
    issues = ask.room.issues.dated_from((ask.now - LOOK_BACK).date())
    newsletters = list(timetable.plan.newsletters.values())
    days = days_around(newsletters, ask.now) if newsletters else []
    rows = [_row(timetable, newsletter, issues, days, ask.now) for newsletter in newsletters]
    return desk_page(
        ask,
        "schedule_list.html",
        rows=rows,
        days=days,
        kinds=KINDS,
        warnings=timetable.plan.warnings,
        applied=applying.standing(ask.room) if in_force.applied else None,
        may_change=may(ask, "schedule_pause"),
    )


def next_due(timetable: Timetable, newsletter: Newsletter, now: datetime) -> Slot | None:
    """The first slot to come that an issue appears in."""
    return next((slot for slot in timetable.slots_between(newsletter, now, now + LOOK_AHEAD) if slot.due), None)


def standing_words(timetable: Timetable, newsletter: Newsletter, now: datetime) -> str:
    """`on`, `off` or `paused`: whether it appears at all."""
    if not newsletter.enabled:
        return "off"
    stop = timetable.slot_of(newsletter, now.astimezone(newsletter.timezone).date()).stopped_by
    return "paused" if stop is not None and stop.kind is OverlayKind.PAUSE else "on"


def excerpts(lines: Sequence[str], problems: Sequence[Problem]) -> Iterator[list[Line]]:
    """The lines with faults and two on either side, in runs without a gap."""
    near = {n for problem in problems for n in range(problem.line - CONTEXT, problem.line + CONTEXT + 1)}
    wanted = sorted({n for n in near if 1 <= n <= len(lines)} | {problem.line for problem in problems})
    for _, run in groupby(enumerate(wanted), key=lambda pair: pair[1] - pair[0]):
        yield [
            Line(n, lines[n - 1] if n <= len(lines) else "", tuple(p for p in problems if p.line == n)) for _, n in run
        ]


def _row(
    timetable: Timetable,
    newsletter: Newsletter,
    issues: Mapping[IssueId, Issue],
    days: Sequence[date],
    now: datetime,
) -> Row:
    past = [issue for issue in issues.values() if issue.id.newsletter == newsletter.name and issue.due_at <= now]
    return Row(
        newsletter,
        when_words(newsletter),
        approval_words(newsletter),
        next_due(timetable, newsletter, now),
        max(past, key=lambda issue: issue.due_at, default=None),
        standing_words(timetable, newsletter, now),
        strip_of(timetable, newsletter, issues, days, now),
    )


def _broken(ask: Ask, error: PlanError) -> dict[str, Any]:
    here = [problem for problem in error.problems if problem.file == ask.room.plan_file.name]
    return {
        "excerpts": list(excerpts(_lines(ask), here)),
        "elsewhere": [problem for problem in error.problems if problem not in here],
        "count": len(error.problems),
    }


def _lines(ask: Ask) -> Sequence[str]:
    try:
        return ask.room.plan_file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return ()
