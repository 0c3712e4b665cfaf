"""All that is held of one subscriber, as a file for them; posted, so that it stands in the audit log."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import own_data, subscriptions
from newsletter.web.asking import Ask
from newsletter.web.public.own_data import json_file

__all__ = ["subscriber_data"]


def subscriber_data(ask: Ask) -> Response:
    """The same file that readers download by a link of their own."""
    held = subscriptions.find(ask.room, ask.field("address"))
    ask.remarks.append(f"subscriber {held.id}")
    return json_file(own_data.document(ask.room, held))
