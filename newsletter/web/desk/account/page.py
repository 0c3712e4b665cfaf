"""One's own account: password, second factor, open sessions."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.people.accounts import LEAST_PASSWORD
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.sessions import session_secret

__all__ = ["account", "account_page"]

_DONE = {"password": "Your password is changed, and every other session has ended.", "ended": "The session has ended."}


def account(ask: Ask) -> Response:
    """The screen."""
    return account_page(ask, done=_DONE.get(ask.query.get("done", ""), ""))


def account_page(ask: Ask, *, status: int = 200, message: str = "", done: str = "") -> Response:
    """The screen, with what was done or why nothing was."""
    assert ask.account is not None
    return desk_page(
        ask,
        "account.html",
        status=status,
        message=message,
        done=done,
        sessions=ask.room.accounts.sessions(ask.account, ask.now),
        this_session=ask.room.accounts.session_key(session_secret(ask)),
        factor=ask.room.second_factors.of(ask.account),
        least=LEAST_PASSWORD,
    )
