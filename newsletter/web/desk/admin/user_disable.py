"""Keep somebody out."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask

__all__ = ["user_disable"]


def user_disable(ask: Ask) -> Response:
    """Every session and link of theirs ends."""
    accounts.disable(ask.room, ask.room.accounts.get(ask.path["account"]), by=ask.account)
    return RedirectResponse("/users", 303)
