"""Have an issue say again what it said in an earlier revision: undo."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom import editing
from newsletter.web.asking import Ask

__all__ = ["issue_restore"]


def issue_restore(ask: Ask) -> Response:
    """Make a new revision out of the one that is named."""
    number = ask.field("revision")
    if not (number.isascii() and number.isdecimal()):
        raise InputError(f"{number!r} is no revision")
    editing.restore(ask.room, ask.issue_id, int(number), who=ask.who)
    ask.figures.forget()
    return RedirectResponse(ask.same_view(f"/issues/{ask.issue_id}"), 303)
