"""Have an issue say again what it said in an earlier revision: undo."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, InputError
from newsletter.newsroom.issue import editing
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_restore"]


def issue_restore(ask: Ask) -> Response:
    """Make a new revision out of the one that is named."""
    number = ask.field("revision")
    if not (number.isascii() and number.isdecimal() and len(number) < 9):
        raise InputError(f"{number!r} is no revision")
    seen = ask.field("seen")
    try:
        editing.restore(
            ask.room,
            ask.issue_id,
            int(number),
            who=ask.who,
            seen=int(seen) if seen.isdecimal() and len(seen) < 9 else None,
        )
    except ChecksFailedError as error:
        return issue_page(ask, ask.room.issues.get(ask.issue_id), notice=str(error), status=409)
    finally:
        ask.figures.forget_checks()
    return RedirectResponse(ask.same_view(f"/issues/{ask.issue_id}"), 303)
