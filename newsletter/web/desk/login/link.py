"""Log in by a one-time link."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.entering import enter
from newsletter.web.pages import NO_REFERRER, error_page, public_page
from newsletter.web.sessions import is_foreign, is_loopback

__all__ = ["login_link"]


def login_link(ask: Ask) -> Response:
    """A button, because programs that scan mail open every link; on one's own machine the link is enough."""
    if not ask.posted and not (ask.request.method == "GET" and _at_home(ask)):
        return public_page("login_link.html", headers=NO_REFERRER)
    # The page's own policy makes browsers send `Origin: null` with its form, so only Fetch Metadata can speak here.
    if ask.posted and is_foreign(ask, origin_hidden=True):
        return _refused(403)
    account = ask.room.accounts.use_login_link(ask.path["token"], ask.now)
    return enter(ask, account, "/", how="by a login link") if account is not None else _refused(404)


def _at_home(ask: Ask) -> bool:
    """Whether browser and desk are one machine, with no proxy of a public address between them."""
    return is_loopback(ask.client) and is_loopback(urlsplit(ask.room.settings.base_url).hostname or "")


def _refused(status: int) -> Response:
    return error_page(
        status,
        "This link does not log in",
        "It was used before, or it is older than 12 hours. Log in with your password, or ask an admin for a new link.",
        NO_REFERRER,
    )
