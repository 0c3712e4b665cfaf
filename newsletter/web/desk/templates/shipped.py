"""Take the shipped template file again instead of the desk's own."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.newsroom.planning import template_files
from newsletter.web.asking import Ask
from newsletter.web.desk.templates.list import template_list_page
from newsletter.web.desk.templates.typed import address_of, name_asked

__all__ = ["template_shipped"]


def template_shipped(ask: Ask) -> Response:
    """Throw the desk's own file away."""
    name = name_asked(ask)
    ask.remarks.append(name)
    try:
        template_files.ask_back(ask.room, name)
    except (ChecksFailedError, NothingToDoError) as error:
        return template_list_page(ask, notice=f"{error}.", status=409)
    ask.figures.forget_checks()
    return RedirectResponse(address_of(name), 303)
