"""Approve an issue: seal the bytes that were looked at."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.newsroom.issue import issues
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_approve"]


def issue_approve(ask: Ask) -> Response:
    """Seal the draft, if it is still the one that the form was shown with."""
    assert ask.account is not None
    issue = ask.room.issues.get(ask.issue_id)
    ask.figures.forget()
    if ask.field("revision") != str(issue.revision):
        changed = "The draft changed after you opened this page. This is how it stands now; look, then approve it."
        return issue_page(ask, issue, notice=changed, status=409)
    try:
        issues.approve(ask.room, issue.id, ask.account.email, issue.revision)
    except (ChecksFailedError, NothingToDoError) as error:
        return issue_page(ask, ask.room.issues.get(issue.id), notice=str(error), status=409)
    return RedirectResponse("/" if ask.field("back") == "/" else f"/issues/{issue.id}", 303)
