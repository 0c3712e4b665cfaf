"""The HTML part of a message of the outbox, for the frame on its screen."""

from __future__ import annotations

import email
from email.policy import default

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.desk.issue.preview import Preview, framed
from newsletter.web.desk.outbox import caught
from newsletter.web.desk.outbox.folders import folder_asked

__all__ = ["outbox_mail"]


def outbox_mail(ask: Ask) -> Response:
    """The message's HTML as it was caught."""
    path = folder_asked(ask)
    data = caught.read_message(ask.room.outbox, path, ask.path["file"])
    html = caught.part(email.message_from_bytes(data, policy=default), "html")
    return framed(html, Preview.asked(ask.query), ask.room.settings.base_url)
