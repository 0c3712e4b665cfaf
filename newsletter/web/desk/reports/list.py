"""What readers report as wrong: those that wait, the longest first; or those that are closed."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["report_list"]

ROWS = 50


def report_list(ask: Ask) -> Response:
    """A page of reports; what stands in them is a stranger's."""
    closed, page = "closed" in ask.query, ask.page_number()
    shown = ask.room.reader_reports.list(closed=closed, limit=ROWS + 1, skip=(page - 1) * ROWS)
    return desk_page(
        ask,
        "report_list.html",
        reports=shown[:ROWS],
        titles={name: each.title for name, each in ask.plan.newsletters.items()},
        waiting=ask.room.reader_reports.count_open(),
        closed=closed,
        page=page,
        more=len(shown) > ROWS,
    )
