"""The mail's HTML alone, for the frame on the issue's screen."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.newsroom.issue import previews
from newsletter.newsroom.readership import readers
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.preview import framed, issue_preview

__all__ = ["issue_mail"]


def issue_mail(ask: Ask) -> Response:
    """A version of the issue as it would be mailed, slots filled for nobody in particular; kept once it is sealed."""
    seal = ask.room.seals.seal_of(ask.issue_id)
    if seal is None:
        return _frame(ask)
    return ask.figures.lasting(("mail", ask.issue_id, seal, ask.request.url.query), lambda: _frame(ask))


def _frame(ask: Ask) -> Response:
    shown = ask.room.issues.get(ask.issue_id)
    preview = issue_preview(ask, shown)
    rendered = previews.shown(ask.room, shown, countries=preview.countries or None, language=preview.language or None)
    slots = readers.neutral_slots(ask.room, shown.id, rendered.edition.key)
    return framed(render.fill_html(rendered.html, slots), preview, ask.room.settings.base_url)
