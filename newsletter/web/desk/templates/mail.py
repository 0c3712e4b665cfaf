"""The sample issue of a template file's mail, for the frame beside the editor."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.errors import TemplateError
from newsletter.newsroom.planning import template_files
from newsletter.ports import SLOT_NAMES
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.preview import Preview, framed
from newsletter.web.desk.schedule.typed import typed_text
from newsletter.web.desk.templates.typed import name_asked
from newsletter.web.pages import error_page

__all__ = ["template_mail"]


def template_mail(ask: Ask) -> Response:
    """The mail as the saved file makes it; posted with a text, as that would make it."""
    text = typed_text(ask) if ask.posted else None
    look = Preview.asked(ask.query) if not ask.posted else Preview(look=ask.field("look") or "light")
    try:
        rendered = template_files.sample(ask.room, name_asked(ask), text)
    except TemplateError as error:
        return framed_words(error)
    html = render.fill_html(rendered.html, dict.fromkeys(SLOT_NAMES, ""))
    return framed(html, look, ask.room.settings.base_url)


def framed_words(error: TemplateError) -> Response:
    """Where there is no mail to show, why."""
    faults = len(error.problems)
    words = f"{'A fault is' if faults == 1 else f'{faults} faults are'} in the way; “Check” names them."
    return error_page(200, "No mail yet", words, {"x-frame-options": "SAMEORIGIN"})
