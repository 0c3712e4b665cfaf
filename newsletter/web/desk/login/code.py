"""Log in, second step: the code of an authenticator app, or a recovery code."""

from __future__ import annotations

import math

from starlette.responses import Response

from newsletter.newsroom.people import second_factor
from newsletter.storage import LinkPurpose
from newsletter.web.asking import Ask
from newsletter.web.desk.login.page import code_page, login_page
from newsletter.web.entering import enter
from newsletter.web.recording import record_failed_login
from newsletter.web.sessions import has_form_token, is_foreign, visitor_secret
from newsletter.web.throttle import Throttle

__all__ = ["login_code"]

FAILURES, PERIOD_SECONDS = 5, 15 * 60.0

# Per account, whatever the network: who gets here knows the password, and a code has only a million values.
_throttle = Throttle(FAILURES, PERIOD_SECONDS)


def login_code(ask: Ask) -> Response:
    """A session for whoever shows a code that was not taken before."""
    if is_foreign(ask) or not has_form_token(ask, visitor_secret(ask)):
        return login_page(ask, status=403, message="This form was too old. Try again.")
    step = ask.field("step")
    account = ask.room.accounts.link_account(step, LinkPurpose.CODE, ask.now)
    if account is None:
        return login_page(ask, status=401, message="That took too long. Log in once more.")
    if wait := _throttle.wait(account.id):
        message = f"Too many tries. Wait {math.ceil(wait / 60)} min, then log in once more."
        response = login_page(ask, status=429, message=message)
        response.headers["retry-after"] = str(math.ceil(wait))
        return response
    _throttle.fail(account.id)
    if not second_factor.accepts(ask.room, account, ask.field("code")[:64]):
        record_failed_login(ask, account, "wrong code")
        return code_page(ask, step, status=401, message="This code is wrong, or was used before. Take the next one.")
    if ask.room.accounts.use_link(step, LinkPurpose.CODE, ask.now) is None:
        return login_page(ask, status=401, message="That took too long. Log in once more.")
    _throttle.forgive(account.id)
    return enter(ask, account, ask.field("next"))
