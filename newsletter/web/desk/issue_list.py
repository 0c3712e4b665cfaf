"""The start page: every issue, latest due first."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from starlette.responses import Response

from newsletter.model import Issue
from newsletter.web.asking import Ask
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
        return _first_steps(ask)
    shown = found[(page - 1) * ROWS : page * ROWS]
    rows = [
        Row(issue, ask.title(issue), ask.zone(issue), ask.figures.stories(issue), ask.figures.readers(issue))
        for issue in shown
    ]
    return desk_page(ask, "issue_list.html", rows=rows, page=page, more=len(found) > page * ROWS)


def _first_steps(ask: Ask) -> Response:
    newsletters = list(ask.plan.newsletters)
    subscriptions = [ask.room.subscribers.count(name) for name in newsletters]
    return desk_page(
        ask,
        "first_steps.html",
        newsletters=newsletters,
        stories=sum(ask.room.stories.count_by_country().values()),
        readers=sum(number for each in subscriptions for status, number in each.items() if status == "confirmed"),
    )
