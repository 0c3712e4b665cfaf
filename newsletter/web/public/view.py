"""The web view of an edition, for whoever holds its link."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from newsletter.newsroom import readers
from newsletter.web.asking import Ask
from newsletter.web.headers import mail_policy
from newsletter.web.our_flags import with_our_flags
from newsletter.web.public.refusals import no_such_link

__all__ = ["view"]


def view(ask: Ask) -> Response:
    """The same HTML as the mail, without anybody's name or personal links."""
    html = readers.web_page(ask.room, ask.path["token"])
    if html is None:
        return no_such_link()
    return HTMLResponse(with_our_flags(html, ask.room.settings.base_url), headers=mail_policy(framed=False))
