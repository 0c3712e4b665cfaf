"""What becomes of a reader's report: somebody looks into it, it is closed, or it waits again."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.web.asking import Ask

__all__ = ["report_change"]


def report_change(ask: Ask) -> Response:
    """Follow the order, and go back to where it was given."""
    reports, number = ask.room.reader_reports, int(ask.path["number"])
    match act := ask.field("act"):
        case "take":
            reports.take(number, who=ask.who, now=ask.now)
        case "close":
            reports.close(number, who=ask.who, now=ask.now)
        case "reopen":
            reports.reopen(number)
        case _:
            raise InputError(f"a report is taken up, closed or opened again, and not {act!r}")
    return RedirectResponse("/reports?closed=1" if act == "reopen" else "/reports", 303)
