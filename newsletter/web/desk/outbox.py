"""What the outbox holds: a folder an issue."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.desk import caught
from newsletter.web.pages import desk_page

__all__ = ["outbox"]


def outbox(ask: Ask) -> Response:
    """Every folder with mail in it."""
    return desk_page(
        ask,
        "outbox.html",
        folders=caught.folders(ask.room.outbox),
        in_use=ask.room.settings.smtp_url is None,
        place=ask.room.outbox,
    )
