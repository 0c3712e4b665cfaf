"""Let somebody in again."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask

__all__ = ["user_enable"]


def user_enable(ask: Ask) -> Response:
    """They log in with the password they had."""
    accounts.enable(ask.room, ask.room.accounts.get(ask.path["account"]))
    return RedirectResponse("/users", 303)
