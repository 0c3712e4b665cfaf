"""Begin to set up a second factor."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError
from newsletter.newsroom.people import second_factor
from newsletter.web.asking import Ask
from newsletter.web.desk.account.totp import totp_page
from newsletter.web.passwords import shows_password
from newsletter.web.sessions import local_path

__all__ = ["account_totp_begin"]


def account_totp_begin(ask: Ask) -> Response:
    """Make a secret for whoever knows the password, which counts once a code of it was shown: who only sits before an
    open session must not lock its owner out."""
    assert ask.account is not None
    if ask.account.has_totp:
        raise ChecksFailedError("there is a second factor already")
    if not shows_password(ask):
        return totp_page(ask, status=422, message="That is not your password. Nothing was changed.")
    second_factor.begin(ask.room, ask.account)
    return RedirectResponse(f"/account/totp?{urlencode({'next': local_path(ask.field('next'))})}", 303)
