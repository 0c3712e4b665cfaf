"""A password that was forgotten: a link to set a new one, by mail."""

from __future__ import annotations

import math

from starlette.responses import Response

from newsletter.newsroom.people import accounts
from newsletter.web.asking import Ask
from newsletter.web.desk.login.page import typed_address
from newsletter.web.pages import public_page
from newsletter.web.recording import record
from newsletter.web.sessions import form_token, give_visitor_secret, has_form_token, is_foreign, visitor_secret
from newsletter.web.throttle import Throttle

__all__ = ["forgot"]

# Of an address whatever the network, so that nobody's inbox is filled; of a network whatever the address.
_addresses = Throttle(3, 60 * 60.0)
_networks = Throttle(20, 60 * 60.0)


def forgot(ask: Ask) -> Response:
    """The form; posted, the same answer in the same time whether or not there is such an account. The mail is made
    later, by the clock."""
    if not ask.posted:
        return _page(ask)
    if is_foreign(ask) or not has_form_token(ask, visitor_secret(ask)):
        return _page(ask, status=403, message="This form was too old. Try again.")
    email = typed_address(ask)
    if wait := max(_addresses.wait(email), _networks.wait(ask.client)):
        message = f"Too many mails were asked for. Wait {math.ceil(wait / 60)} min, then try again."
        response = _page(ask, status=429, message=message)
        response.headers["retry-after"] = str(math.ceil(wait))
        return response
    _addresses.fail(email)
    _networks.fail(ask.client)
    accounts.forgot(ask.room, email)
    record(ask, "forgot", ask.room.accounts.find(email))
    return _page(ask, asked=True)


def _page(ask: Ask, *, status: int = 200, message: str = "", asked: bool = False) -> Response:
    secret = visitor_secret(ask)
    response = public_page(
        "forgot.html",
        status=status,
        message=message,
        asked=asked,
        email=ask.field("email"),
        form_token=form_token(secret),
    )
    give_visitor_secret(ask, response, secret)
    return response
