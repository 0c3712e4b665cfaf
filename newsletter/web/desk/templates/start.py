"""Start a mail of the desk's own, with the files of another."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError, TemplateError
from newsletter.web.asking import Ask
from newsletter.web.desk.templates.list import template_list_page

__all__ = ["template_start"]


def template_start(ask: Ask) -> Response:
    """Copy the files and open the first of them."""
    name = ask.field("name").strip()
    try:
        made = ask.room.templates.start(name, ask.field("like"))
    except (InputError, TemplateError) as error:
        return template_list_page(ask, notice=f"{error}.", status=409)
    ask.remarks.append(name)
    first = next(path.name for path in made if path.suffix == ".mjml")
    return RedirectResponse(f"/templates/file?{urlencode({'name': f'{name}/{first}'})}", 303)
