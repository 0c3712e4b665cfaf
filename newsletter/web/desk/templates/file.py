"""One template file in an editor, beside the mail it makes."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.planning import template_files
from newsletter.web.asking import Ask
from newsletter.web.desk.templates.typed import editor_page, name_asked

__all__ = ["template_file"]


def template_file(ask: Ask) -> Response:
    """The file as it lies there."""
    text = template_files.text_of(ask.room, name_asked(ask))
    saved = "It is saved: drafts and proofs have it from now on." if "saved" in ask.query else ""
    return editor_page(ask, text, template_files.stamp(text), notice=saved)
