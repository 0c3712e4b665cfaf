"""The web view of an edition, for whoever holds its link."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from newsletter.newsroom.readership import readers
from newsletter.web.asking import Ask
from newsletter.web.headers import mail_policy
from newsletter.web.public.mail_page import mail_page
from newsletter.web.public.refusals import no_such_link

__all__ = ["view"]


def view(ask: Ask) -> Response:
    """The same HTML as the mail, without anybody's name or personal links."""
    found = readers.web_view(ask.room, ask.path["token"])
    if found is None:
        return no_such_link(ask)
    return HTMLResponse(mail_page(ask, *found), headers=mail_policy(framed=False))
