"""Begin to set up a second factor."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.people import second_factor
from newsletter.web.asking import Ask
from newsletter.web.sessions import local_path

__all__ = ["account_totp_begin"]


def account_totp_begin(ask: Ask) -> Response:
    """Make a secret, which counts once a code of it was shown."""
    assert ask.account is not None
    second_factor.begin(ask.room, ask.account)
    return RedirectResponse(f"/account/totp?{urlencode({'next': local_path(ask.field('next'))})}", 303)
