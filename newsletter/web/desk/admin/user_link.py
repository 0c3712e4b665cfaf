"""Mail somebody a link to set a password."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask

__all__ = ["user_link"]


def user_link(ask: Ask) -> Response:
    """An invitation once more, or a new password; nothing changes until the link is used."""
    accounts.mail_link(ask.room, ask.room.accounts.get(ask.path["account"]))
    return RedirectResponse("/users?done=mailed", 303)
