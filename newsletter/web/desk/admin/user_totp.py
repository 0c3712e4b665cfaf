"""Forget the second factor of somebody who lost it."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError
from newsletter.newsroom.people import second_factor
from newsletter.web.asking import Ask

__all__ = ["user_totp"]


def user_totp(ask: Ask) -> Response:
    """They log in with the password alone; every session of theirs ends."""
    assert ask.account is not None
    account = ask.room.accounts.get(ask.path["account"])
    if account.id == ask.account.id:
        raise ChecksFailedError("you give up your own second factor on the page of your account")
    second_factor.end(ask.room, account)
    return RedirectResponse("/users", 303)
