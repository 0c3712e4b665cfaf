"""The rows of a file that could not be taken, as a file that can be mended and brought again."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import imports
from newsletter.web.asking import Ask
from newsletter.web.desk.subscriber.export import csv_file

__all__ = ["subscriber_rejects"]


def subscriber_rejects(ask: Ask) -> Response:
    """All of them, with row and reason; `for=spreadsheet` where cells that calculate are to be inert."""
    brought = imports.find(ask.room, ask.path["brought"])
    text = imports.rejects(ask.room, brought.id, safe=ask.query.get("for") == "spreadsheet")
    return csv_file(text, f"{brought.name.removesuffix('.csv')}.rejects.csv")
