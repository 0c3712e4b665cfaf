"""Give up one's own second factor."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.people import second_factor
from newsletter.web.asking import Ask
from newsletter.web.desk.account.totp import totp_page
from newsletter.web.passwords import shows_password
from newsletter.web.sessions import start_session

__all__ = ["account_totp_end"]


def account_totp_end(ask: Ask) -> Response:
    """Ask for no codes any more, if the password was shown. Every session ends, and this browser gets a new one."""
    assert ask.account is not None
    if not shows_password(ask):
        return totp_page(ask, status=422, message="That is not your password. Nothing was changed.")
    second_factor.end(ask.room, ask.account)
    return start_session(ask, ask.account, "/account")
