"""The second factor of one's own account: whether there is one, and how to set it up."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from starlette.responses import Response

from newsletter.newsroom.people import second_factor
from newsletter.newsroom.people.second_factor import Offer
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.sessions import local_path

__all__ = ["account_totp", "totp_page"]


def account_totp(ask: Ask) -> Response:
    """The screen; changes nothing."""
    return totp_page(ask)


def totp_page(ask: Ask, *, status: int = 200, message: str = "", codes: Sequence[str] = ()) -> Response:
    """The screen: with recovery codes, which are shown this once; with a secret that waits for its first code."""
    assert ask.account is not None
    offer = second_factor.offered(ask.room, ask.account)
    return desk_page(
        ask,
        "account_totp.html",
        status=status,
        message=message,
        codes=codes,
        offer=offer,
        picture=_picture(offer) if offer else "",
        factor=ask.room.second_factors.of(ask.account),
        next_path=local_path(ask.query.get("next") or ask.field("next") or "/account"),
    )


def _picture(offer: Offer) -> Markup:
    """The address of the secret as a QR code, an SVG without a style or a script."""
    import segno

    code = segno.make(offer.uri, error="m", micro=False)
    drawn = code.svg_inline(scale=4, border=3, dark="#16181d", light="#fff", svgclass="qr", lineclass=None)
    return Markup(drawn)  # noqa: S704 - drawn from bits; no text of anybody stands in it
