"""The draft as it would be mailed, for the frame on the page of an approver's link."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.newsroom.issue import approving, previews
from newsletter.newsroom.readership import readers
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.preview import Preview, framed
from newsletter.web.public.refusals import no_such_link

__all__ = ["approval_mail"]


def approval_mail(ask: Ask) -> Response:
    """The whole issue's edition, slots filled for nobody; only while the link could approve it."""
    link = approving.link_of(ask.room, ask.path["token"])
    if link is None or not link.usable:
        return no_such_link(ask)
    rendered = previews.preview(ask.room, link.issue.id)
    slots = readers.neutral_slots(ask.room, link.issue.id, rendered.edition.key)
    return framed(render.fill_html(rendered.html, slots), Preview(), ask.room.settings.base_url)
