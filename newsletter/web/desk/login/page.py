"""Log in with address and password, and with a code where the account asks for one."""

from __future__ import annotations

import math
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.people.accounts import LONGEST_PASSWORD
from newsletter.storage import LinkPurpose
from newsletter.web.asking import Ask
from newsletter.web.entering import enter
from newsletter.web.pages import public_page
from newsletter.web.passwords import hashing
from newsletter.web.recording import record_failed_login
from newsletter.web.sessions import (
    account_of,
    form_token,
    give_visitor_secret,
    has_form_token,
    is_foreign,
    local_path,
    visitor_secret,
)
from newsletter.web.throttle import Throttle

__all__ = ["code_page", "login", "login_page", "typed_address"]

FAILURES, PERIOD_SECONDS = 5, 15 * 60.0
LONGEST_ADDRESS = 320
CODE_WITHIN = timedelta(minutes=5)

_throttle = Throttle(FAILURES, PERIOD_SECONDS)


def login(ask: Ask) -> Response:
    """The form; posted, a session for whoever knows the password, or the question for a code."""
    if not ask.posted:
        return login_page(ask) if account_of(ask) is None else RedirectResponse("/", 303)
    if is_foreign(ask) or not has_form_token(ask, visitor_secret(ask)):
        return login_page(ask, status=403, message="This form was too old. Try again.")
    email, password = typed_address(ask), ask.field("password")
    key = (email, ask.client)
    if wait := _throttle.wait(key):
        minutes = math.ceil(wait / 60)
        response = login_page(ask, status=429, message=f"Too many tries. Wait {minutes} min, then try again.")
        response.headers["retry-after"] = str(math.ceil(wait))
        return response
    # Counted before it is judged: tries that come at the same moment are as many tries.
    _throttle.fail(key)
    try:
        with hashing():
            account = ask.room.accounts.check_password(email, password[:LONGEST_PASSWORD])
    except HTTPException as busy:
        return login_page(ask, status=busy.status_code, message=busy.detail)
    if account is None:
        record_failed_login(ask, ask.room.accounts.find(email), "wrong password")
        return login_page(ask, status=401, message="This address and this password do not belong together.")
    _throttle.forgive(key)
    if not account.has_totp:
        return enter(ask, account, ask.field("next"))
    return code_page(ask, ask.room.accounts.make_link(account, LinkPurpose.CODE, ask.now + CODE_WITHIN))


def typed_address(ask: Ask) -> str:
    """The address in the form, as accounts are known by; PostgreSQL knows no text with a NUL in it."""
    return ask.field("email").strip().lower().replace("\0", "")[:LONGEST_ADDRESS]


def login_page(ask: Ask, *, status: int = 200, message: str = "") -> Response:
    """The form, which afterwards leads to the screen that was asked for."""
    looking = ask.request.method in ("GET", "HEAD") and ask.request.url.path != "/login"
    next_path = ask.again() if looking else local_path(ask.field("next"))
    secret = visitor_secret(ask)
    response = public_page(
        "login.html",
        status=status,
        message=message,
        email=ask.field("email"),
        next_path=local_path(next_path),
        password_set=ask.request.url.path == "/login" and ask.query.get("password") == "set",
        form_token=form_token(secret),
    )
    give_visitor_secret(ask, response, secret)
    return response


def code_page(ask: Ask, step: str, *, status: int = 200, message: str = "") -> Response:
    """The question for a code; `step` says that the password was right, for five minutes."""
    secret = visitor_secret(ask)
    response = public_page(
        "login_code.html",
        status=status,
        message=message,
        step=step,
        next_path=local_path(ask.field("next")),
        form_token=form_token(secret),
    )
    give_visitor_secret(ask, response, secret)
    return response
