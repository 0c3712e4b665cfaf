"""Orders about a whole issue: build again, undo, stop, send the rest, cancel. Each is followed, or the screen says why
not."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.newsroom.dispatch import correcting, outcomes, sending
from newsletter.newsroom.issue import issues
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_build", "issue_cancel", "issue_rest", "issue_stop", "issue_undo"]


def issue_build(ask: Ask) -> Response:
    """Build the draft again from what has come in, with what editors did to it."""
    asked = ask.issue_id
    return _followed(
        ask, lambda: issues.build(ask.room, asked.newsletter, asked.date, number=asked.number, who=ask.who)
    )


def issue_undo(ask: Ask) -> Response:
    """Take the approval back, as long as nothing has left."""
    return _followed(ask, lambda: correcting.undo(ask.room, ask.issue_id, who=ask.who))


def issue_stop(ask: Ask) -> Response:
    """Begin nothing more of an issue that is being sent."""
    return _followed(ask, lambda: outcomes.stop(ask.room, ask.issue_id, who=ask.who, why="stopped on screen"))


def issue_rest(ask: Ask) -> Response:
    """Send the rest of a stopped issue."""
    return _followed(ask, lambda: sending.resume(ask.room, ask.issue_id, who=ask.who))


def issue_cancel(ask: Ask) -> Response:
    """Let an issue that has not begun to leave never appear."""
    why = ask.field("why").strip()
    return _followed(ask, lambda: correcting.cancel(ask.room, ask.issue_id, who=ask.who, why=why))


def _followed(ask: Ask, order: Callable[[], object]) -> Response:
    try:
        order()
    except (ChecksFailedError, NothingToDoError) as error:
        return issue_page(ask, ask.room.issues.get(ask.issue_id), notice=str(error), status=409)
    finally:
        ask.figures.forget()
    return RedirectResponse(ask.same_view(f"/issues/{ask.issue_id}"), 303)
