"""Whether this process can do its work."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from newsletter.errors import StorageError
from newsletter.web.asking import Ask

__all__ = ["readyz"]


def readyz(ask: Ask) -> Response:
    """200 when the database answers and has this version's schema, else 503."""
    try:
        ask.room.bare_database.require_schema()
    except StorageError:
        return PlainTextResponse("the database does not answer, or has another schema\n", 503)
    return PlainTextResponse("ready\n")
