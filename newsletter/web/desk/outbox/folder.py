"""The messages of one folder of the outbox."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.desk.outbox import caught
from newsletter.web.desk.outbox.folders import folder_asked
from newsletter.web.pages import desk_page

__all__ = ["outbox_folder"]

ROWS = 50


def outbox_folder(ask: Ask) -> Response:
    """A page of the folder's messages, by file name."""
    page = ask.page_number()
    path = folder_asked(ask)
    shown, total = caught.messages(ask.room.outbox, path, (page - 1) * ROWS, ROWS)
    return desk_page(
        ask,
        "outbox_folder.html",
        folder="/".join(path),
        messages=shown,
        total=total,
        page=page,
        more=total > page * ROWS,
    )
