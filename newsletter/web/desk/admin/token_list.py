"""API tokens: what programs may do here, and when they last did."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.storage import Role
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["TOKEN_ROLES", "token_list", "token_page"]

TOKEN_ROLES = (Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.ADMIN)
"""An admin's reaches addresses. It has no second factor, so no address of programs makes tokens or accounts."""


def token_list(ask: Ask) -> Response:
    """The screen."""
    return token_page(ask)


def token_page(ask: Ask, *, status: int = 200, message: str = "", secret: str = "") -> Response:
    """The screen, with a new token, which is shown this once."""
    return desk_page(
        ask,
        "token_list.html",
        status=status,
        message=message,
        secret=secret,
        tokens=ask.room.api_tokens.all(),
        roles=TOKEN_ROLES,
        address=f"{ask.room.settings.base_url}/api/v1/me",
    )
