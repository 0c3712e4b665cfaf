"""Give all subscribers out as a file. It is posted, so that it stands in the audit log and no other site can ask."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from newsletter.web.asking import Ask

__all__ = ["csv_file", "subscriber_export"]


def subscriber_export(ask: Ask) -> Response:
    """Everybody who is pending or confirmed, in the form that an import takes, or inert for a spreadsheet."""
    safe = ask.field("for") == "spreadsheet"
    ask.remarks.append("for a spreadsheet" if safe else "as it is")
    kind = "-spreadsheet" if safe else ""
    return csv_file(ask.room.subscribers.export_text(safe=safe), f"subscribers-{ask.now:%Y-%m-%d}{kind}.csv")


def csv_file(text: Iterator[str], name: str) -> Response:
    """A file to keep, sent as it is made: however long it is, a piece of it is in memory."""
    kept = {"content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return StreamingResponse(text, media_type="text/csv", headers=kept)
