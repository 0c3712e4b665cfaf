"""One message of the outbox: headers, the mail, its text part, the raw bytes."""

from __future__ import annotations

import email
from email.policy import default

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.desk.issue.preview import Preview
from newsletter.web.desk.outbox import caught
from newsletter.web.desk.outbox.folders import folder_asked
from newsletter.web.pages import desk_page

__all__ = ["outbox_message"]


def outbox_message(ask: Ask) -> Response:
    """The message that the address names."""
    path, file = folder_asked(ask), ask.path["file"]
    data = caught.read_message(ask.room.outbox, path, file)
    message = email.message_from_bytes(data, policy=default)
    preview = Preview.asked(ask.query)
    raw = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return desk_page(
        ask,
        "outbox_message.html",
        folder="/".join(path),
        file=file,
        headers_shown=[(name, str(value)) for name, value in message.items()],
        subject=str(message.get("Subject", "")),
        preview=preview,
        body={"html": "", "text": caught.part(message, "plain"), "raw": raw}[preview.part],
        size=len(data),
    )
