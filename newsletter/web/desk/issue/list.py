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
    readers: int | None


def issue_list(ask: Ask) -> Response:
    """A page of issues; where there is none yet, what to do first."""
    page = ask.page_number()
    found = ask.room.issues.list(limit=ROWS + 1, offset=(page - 1) * ROWS)
    if not found and page == 1:
        return first_steps(ask)
    shown = found[:ROWS]
    stories, readers = ask.room.contents.story_counts([each.id for each in shown]), ask.figures.readers_of(shown)
    rows = [Row(each, ask.title(each), ask.zone(each), stories.get(each.id, 0), readers[each.id]) for each in shown]
    counting = None in readers.values()
    return desk_page(ask, "issue_list.html", rows=rows, page=page, more=len(found) > ROWS, counting=counting)
