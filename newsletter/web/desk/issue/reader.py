"""Look at an issue as one of its readers: which of them, by address."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.readership import subscriptions
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_reader"]


def issue_reader(ask: Ask) -> Response:
    """The same screen as that reader gets it. The address is posted; the screen's own knows a number."""
    issue = ask.room.issues.get(ask.issue_id)
    try:
        number = subscriptions.number_of(ask.room, ask.field("address"))
    except (InputError, NotFoundError):
        return issue_page(ask, issue, notice="Nobody on the list has that address.", status=404)
    _, _, query = ask.again(reader=number, countries=None, language=None, frequency=None).partition("?")
    return RedirectResponse(f"/issues/{issue.id}?{query}", 303)
