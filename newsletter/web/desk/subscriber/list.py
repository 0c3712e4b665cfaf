"""Who asked to hear from this desk: the latest, by newsletter and status, or by how the address begins."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.charts import days_before, growth_chart
from newsletter.web.pages import desk_page
from newsletter.web.recording import record

__all__ = ["subscriber_list"]

ROWS, LONGEST_SEARCH = 50, 320
DAYS = 60
STATUSES = ("pending", "confirmed", "unsubscribed")


def subscriber_list(ask: Ask) -> Response:
    """A page of subscribers, with how many each newsletter has."""
    names = list(ask.plan.newsletters)
    newsletter = ask.query.get("newsletter") if ask.query.get("newsletter") in names else None
    status = ask.query.get("status") if ask.query.get("status") in STATUSES else None
    begins = ask.query.get("begins", "").strip()[:LONGEST_SEARCH]
    below = ask.query.get("below", "")
    shown = ask.room.subscribers.look(
        begins=begins,
        newsletters=[newsletter] if newsletter else names if status else (),
        status=status,
        below=int(below) if below.isascii() and below.isdecimal() and len(below) < 18 else None,
        limit=ROWS + 1,
    )
    if begins and ask.request.method == "GET":
        ask.remarks.append("by the beginning of an address")
        record(ask, "subscriber_list")
    return desk_page(
        ask,
        "subscriber_list.html",
        names=names,
        titles={name: each.title for name, each in ask.plan.newsletters.items()},
        counts=ask.figures.subscriptions(names),
        growth=growth_chart(ask.figures.growth(days_before(ask.now.date(), DAYS), newsletter)),
        newsletter=newsletter,
        standing=status,
        statuses=STATUSES,
        begins=begins,
        subscribers=shown[:ROWS],
        below=shown[ROWS - 1].id if len(shown) > ROWS else None,
    )
