"""An edition as a page for anybody: the bytes of the mail without a reader, under what has been corrected since."""

from __future__ import annotations

import re

from newsletter import render
from newsletter.model import IssueId, RenderedEdition
from newsletter.newsroom.readership import readers
from newsletter.web.asking import Ask
from newsletter.web.our_flags import with_our_flags
from newsletter.web.pages import fragment

__all__ = ["mail_page"]

_BODY = re.compile("<body[^>]*>")


def mail_page(ask: Ask, issue_id: IssueId, rendered: RenderedEdition) -> str:
    """The HTML, its personal links leading nowhere. A correction since is a dated notice before everything else."""
    room, language = ask.room, rendered.edition.language
    html = render.fill_html(rendered.html, readers.neutral_slots(room, issue_id, rendered.edition.key))
    html = with_our_flags(html, room.settings.base_url)
    corrections = room.corrections.of(issue_id)
    if not corrections:
        return html
    snapshot = room.issues.get(issue_id).snapshot
    zone = snapshot.timezone if snapshot else "UTC"
    notice = fragment(
        "correction.html",
        corrections=[(render.short_date(row.at, zone, language), row) for row in corrections],
        direction=render.direction(language),
        language=language,
        **room.templates.words(language),
    )
    return _BODY.sub(lambda body: body[0] + notice, html, count=1)
