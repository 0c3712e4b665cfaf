"""Make new recovery codes; the old ones are void."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import ChecksFailedError
from newsletter.newsroom.people import second_factor
from newsletter.web.asking import Ask
from newsletter.web.desk.account.totp import totp_page
from newsletter.web.passwords import shows_password

__all__ = ["account_totp_codes"]


def account_totp_codes(ask: Ask) -> Response:
    """Show them this once, to whoever knows the password."""
    assert ask.account is not None
    if not ask.account.has_totp:
        raise ChecksFailedError("there is no second factor to recover")
    if not shows_password(ask):
        return totp_page(ask, status=422, message="That is not your password. Nothing was changed.")
    return totp_page(ask, codes=second_factor.new_codes(ask.room, ask.account))
