"""The last step of every way in: a session begins, and the log has a line of it."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from newsletter.storage import Account, Role
from newsletter.web.asking import Ask
from newsletter.web.recording import record
from newsletter.web.sessions import local_path, start_session

__all__ = ["enter"]


def enter(ask: Ask, account: Account, next_path: str, *, how: str = "") -> Response:
    """Log in whoever has shown all that is asked of them. An admin without a second factor is led to setting one up,
    and may go on without."""
    if how:
        ask.remarks.append(how)
    record(ask, "login", account)
    if account.role is Role.ADMIN and not account.has_totp and account.has_password and not how:
        next_path = f"/account/totp?{urlencode({'next': local_path(next_path)})}"
    return start_session(ask, account, next_path)
