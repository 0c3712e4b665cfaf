"""The desk's newsletters, and when each is due next."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.newsroom import documents
from newsletter.web.api.operations import Operation, operation
from newsletter.web.api.shapes import Newsletters
from newsletter.web.asking import Ask

__all__ = ["api_newsletters"]

SLOTS = 5


@operation(
    Operation(
        tag="newsletters",
        summary="List the newsletters with their next five slots",
        answers={200: Newsletters},
    )
)
def api_newsletters(ask: Ask) -> Response:
    """Every newsletter of the schedule in force."""
    timetable, now = ask.room.timetable, ask.now
    rows = [
        documents.newsletter_document(timetable, each, now)
        | {"next": [documents.slot_document(slot) for slot in timetable.upcoming(now, SLOTS, [each])]}
        for each in timetable.plan.newsletters.values()
    ]
    return JSONResponse({"newsletters": rows})
