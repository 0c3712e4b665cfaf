"""The templates of the desk: which mails there are, and which of their files are its own."""

from __future__ import annotations

from itertools import groupby

from starlette.responses import Response

from newsletter.newsroom.planning import template_files
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["template_list", "template_list_page"]

_BY_ITSELF = (("breaking", "a story that is sent at once"), ("correction", "what an issue had wrong"))


def template_list(ask: Ask) -> Response:
    """Every file, by mail."""
    return template_list_page(ask)


def template_list_page(ask: Ask, *, notice: str = "", status: int = 200) -> Response:
    """The same, with a sentence on top."""
    mails = ask.room.templates.names()
    planned = [(newsletter.template, newsletter.title) for newsletter in ask.plan.newsletters.values()]
    used = {mail: [title for template, title in [*planned, *_BY_ITSELF] if template == mail] for mail in mails}
    folders = groupby(template_files.listed(ask.room), key=lambda file: file.name.rpartition("/")[0])
    return desk_page(
        ask,
        "template_list.html",
        status=status,
        notice=notice,
        folders=[(name, list(files)) for name, files in folders],
        mails=mails,
        used=used,
    )
