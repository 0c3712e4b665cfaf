"""Show the first code: from now on the login asks for one."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from newsletter.newsroom.people import second_factor
from newsletter.web.asking import Ask
from newsletter.web.desk.account.totp import totp_page
from newsletter.web.passwords import too_many
from newsletter.web.throttle import Throttle

__all__ = ["account_totp_confirm"]

_throttle = Throttle(10, 15 * 60.0)


def account_totp_confirm(ask: Ask) -> Response:
    """Take the second factor into use, and show the recovery codes this once."""
    assert ask.account is not None
    too_many(_throttle.wait(ask.account.id))
    _throttle.fail(ask.account.id)
    codes = second_factor.confirm(ask.room, ask.account, ask.field("code")[:64])
    if codes is None:
        message = "This code does not belong to this secret. Is the telephone’s clock right?"
        return totp_page(ask, status=422, message=message)
    _throttle.forgive(ask.account.id)
    return totp_page(replace(ask, account=replace(ask.account, has_totp=True)), codes=codes)
