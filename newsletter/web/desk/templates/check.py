"""Check a template file that is being typed, in the mail it is shown in. Nothing is kept."""

from __future__ import annotations

from dataclasses import asdict

from starlette.responses import JSONResponse, Response

from newsletter.newsroom.planning import template_files
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.typed import typed_text
from newsletter.web.desk.templates.typed import editor_page, name_asked

__all__ = ["template_check"]


def template_check(ask: Ask) -> Response:
    """The editor with what was found; as JSON for the script that asks while somebody types."""
    name, text = name_asked(ask), typed_text(ask)
    in_a_hurry = ask.request.headers.get("accept") == "application/json"
    mails = [template_files.mail_of(ask.room, name)] if in_a_hurry else None
    problems = template_files.check(ask.room, name, text, mails)
    if in_a_hurry:
        return JSONResponse({"problems": [{**asdict(each), "here": each.file == name} for each in problems]})
    return editor_page(ask, text, ask.field("began"), problems=problems)
