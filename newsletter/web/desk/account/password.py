"""Change one's own password."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask
from newsletter.web.desk.account.page import account_page
from newsletter.web.passwords import hashing, shows_password
from newsletter.web.sessions import start_session

__all__ = ["account_password"]


def account_password(ask: Ask) -> Response:
    """Set the new password, if the old one was shown. Every session ends, and this browser gets a new one."""
    assert ask.account is not None
    if ask.account.has_password and not shows_password(ask):
        return account_page(ask, status=422, message="That is not your present password. Nothing was changed.")
    try:
        with hashing():
            accounts.change_password(ask.room, ask.account, ask.field("new"))
    except InputError as error:
        return account_page(ask, status=422, message=str(error))
    return start_session(ask, ask.account, "/account?done=password")
