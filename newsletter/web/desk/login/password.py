"""Set a password by the link of an invitation, or of a mail that was asked for."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.people import accounts
from newsletter.storage import Account, LinkPurpose
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.passwords import hashing
from newsletter.web.recording import record
from newsletter.web.sessions import is_foreign

__all__ = ["password"]


def password(ask: Ask) -> Response:
    """GET shows the form and uses nothing up: programs that scan mail open every link. POST sets the password, once."""
    account = ask.room.accounts.link_account(ask.path["token"], LinkPurpose.PASSWORD, ask.now)
    # The page's own policy makes browsers send `Origin: null` with its form, so only Fetch Metadata can speak here.
    if ask.posted and is_foreign(ask, origin_hidden=True):
        return _page(None, status=403)
    if account is None:
        return _page(None, status=404)
    if not ask.posted:
        return _page(account)
    try:
        with hashing():
            done = accounts.password_by_link(ask.room, ask.path["token"], account, ask.field("new"))
    except InputError as error:
        return _page(account, status=422, message=str(error))
    if not done:
        return _page(None, status=404)
    record(ask, "password", account)
    return RedirectResponse("/login?password=set", 303, NO_REFERRER)


def _page(account: Account | None, *, status: int = 200, message: str = "") -> Response:
    least = accounts.LEAST_PASSWORD
    return public_page(
        "password.html", status=status, headers=NO_REFERRER, account=account, message=message, least=least
    )
