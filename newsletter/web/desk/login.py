"""Log in with address and password."""

from __future__ import annotations

import math
import threading

from starlette.responses import RedirectResponse, Response

from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.sessions import (
    account_of,
    form_token,
    give_visitor_secret,
    has_form_token,
    is_foreign,
    local_path,
    start_session,
    visitor_secret,
)
from newsletter.web.throttle import Throttle

__all__ = ["login", "login_page"]

FAILURES, PERIOD_SECONDS = 5, 15 * 60.0
LONGEST_PASSWORD, LONGEST_ADDRESS = 1000, 320
BUSY_SECONDS = 2

_throttle = Throttle(FAILURES, PERIOD_SECONDS)
# argon2id takes 64 MB for each password it looks at (argon2-cffi's defaults, RFC 9106's low-memory profile).
_at_once = threading.BoundedSemaphore(2)


def login(ask: Ask) -> Response:
    """The form; posted, a session for whoever knows the password."""
    if not ask.posted:
        return login_page(ask) if account_of(ask) is None else RedirectResponse("/", 303)
    if is_foreign(ask) or not has_form_token(ask, visitor_secret(ask)):
        return login_page(ask, status=403, message="This form was too old. Try again.")
    email, password = ask.field("email").strip().lower()[:LONGEST_ADDRESS], ask.field("password")
    key = (email, ask.client)
    if wait := _throttle.wait(key):
        minutes = math.ceil(wait / 60)
        response = login_page(ask, status=429, message=f"Too many tries. Wait {minutes} min, then try again.")
        response.headers["retry-after"] = str(math.ceil(wait))
        return response
    # Counted before it is judged: tries that come at the same moment are as many tries.
    _throttle.fail(key)
    if not _at_once.acquire(timeout=BUSY_SECONDS):
        return login_page(ask, status=429, message="Too many people are logging in. Try again in a moment.")
    try:
        account = ask.room.accounts.check_password(email, password[:LONGEST_PASSWORD])
    finally:
        _at_once.release()
    if account is None:
        return login_page(ask, status=401, message="This address and this password do not belong together.")
    _throttle.forgive(key)
    return start_session(ask, account, ask.field("next"))


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
        form_token=form_token(secret),
    )
    give_visitor_secret(ask, response, secret)
    return response
