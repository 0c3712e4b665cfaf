"""End one of one's own sessions, or all but this one."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import NotFoundError
from newsletter.web.asking import Ask
from newsletter.web.sessions import session_secret

__all__ = ["account_session_end"]


def account_session_end(ask: Ask) -> Response:
    """End it: whoever goes on there has to log in."""
    assert ask.account is not None
    if ask.field("all") == "yes":
        ask.room.accounts.end_sessions(ask.account, keep=session_secret(ask))
        ask.remarks.append("all others")
    elif not ask.room.accounts.end_session(ask.account, ask.field("session")):
        raise NotFoundError("this session has ended already")
    return RedirectResponse("/account?done=ended", 303)
