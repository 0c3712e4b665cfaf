"""One issue of a public newsletter, whole."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from newsletter import render
from newsletter.errors import InputError, NotFoundError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import issues, readers
from newsletter.web.asking import Ask
from newsletter.web.headers import mail_policy
from newsletter.web.our_flags import with_our_flags
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_newsletter import archived_name, public_newsletter

__all__ = ["archive_issue"]


def archive_issue(ask: Ask) -> Response:
    """The edition with every country, as it was sealed; `NotFoundError` until the issue has gone out."""
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    day, number = ask.path["day"][:10], ask.path["day"][11:]
    try:
        issue_id = IssueId.parse(f"{newsletter.name}/{day}" + (f"/{number}" if number else ""))
    except InputError as error:
        raise NotFoundError(str(error)) from None
    issue = ask.room.issues.get(issue_id)
    if issue.state is not IssueState.SUBMITTED or archived_name(issue_id) != ask.path["day"]:
        raise NotFoundError(f"{issue_id} is not in the archive")
    whole = issues.preview(ask.room, issue_id)
    html = render.fill_html(whole.html, readers.neutral_slots(ask.room, issue_id, whole.edition.key))
    return HTMLResponse(
        with_our_flags(html, ask.room.settings.base_url), headers={**INDEXED, **mail_policy(framed=False)}
    )
