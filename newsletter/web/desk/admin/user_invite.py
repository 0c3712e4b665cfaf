"""Invite somebody to the desk."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask
from newsletter.web.desk.admin.user_list import user_page

__all__ = ["user_invite"]


def user_invite(ask: Ask) -> Response:
    """Make the account, and have its owner mailed a link to set a password."""
    try:
        made = accounts.invite(ask.room, ask.field("email"), accounts.role_of(ask.field("role")))
    except InputError as error:
        return user_page(ask, status=422, message=str(error), email=ask.field("email"))
    ask.remarks.append(f"{made.email}, {made.role}")
    return RedirectResponse("/users?done=mailed", 303)
