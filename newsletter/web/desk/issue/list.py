"""Every issue, latest due first."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.responses import Response

from newsletter.model import Issue
from newsletter.web.asking import Ask
from newsletter.web.desk.first_steps import first_steps
from newsletter.web.pages import desk_page

__all__ = ["issue_list"]

ROWS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One issue of the list."""

    issue: Issue
    title: str
    zone: ZoneInfo
    stories: int
    readers: int


def issue_list(ask: Ask) -> Response:
    """A page of issues; where there is none yet, what to do first."""
    page = ask.page_number()
    found = ask.room.issues.list(limit=page * ROWS + 1)
    if not found:
        return first_steps(ask)
    shown = found[(page - 1) * ROWS : page * ROWS]
    rows = [
        Row(issue, ask.title(issue), ask.zone(issue), ask.figures.stories(issue), ask.figures.readers(issue))
        for issue in shown
    ]
    return desk_page(ask, "issue_list.html", rows=rows, page=page, more=len(found) > page * ROWS)
