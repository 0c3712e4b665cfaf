"""One issue of a public newsletter, whole, or one edition of it."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from newsletter.errors import InputError, NotFoundError
from newsletter.model import Issue, IssueId, IssueState, RenderedEdition
from newsletter.newsroom.issue import previews
from newsletter.plan import Newsletter
from newsletter.web.asking import Ask
from newsletter.web.headers import mail_policy
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_newsletter import public_newsletter
from newsletter.web.public.mail_page import mail_page

__all__ = ["archive_issue", "archived_issue"]


def archive_issue(ask: Ask) -> Response:
    """The edition with every country, or the one that `?edition=` names, as it was sealed.

    Its bytes are the mail's, so its own address, the same for all editions, is told by a header (RFC 6596).
    """
    issue = archived_issue(ask, public_newsletter(ask, ask.path["newsletter"]))
    key = ask.query.get("edition")
    rendered = previews.preview(ask.room, issue.id) if key is None else _edition(ask, issue, key)
    own = {"link": f'<{ask.room.settings.base_url}{ask.request.url.path}>; rel="canonical"'}
    return HTMLResponse(mail_page(ask, issue.id, rendered), headers={**INDEXED, **own, **mail_policy(framed=False)})


def _edition(ask: Ask, issue: Issue, key: str) -> RenderedEdition:
    held = {edition.key: edition for edition in previews.sealed(ask.room, issue)}
    if key not in held:
        raise NotFoundError(f"{issue.id} has no edition {key!r}")
    return previews.sealed_or_rendered(ask.room, issue, held[key])


def archived_issue(ask: Ask, newsletter: Newsletter) -> Issue:
    """The issue that the address names; `NotFoundError` until it has gone out."""
    day, number = ask.path["day"][:10], ask.path["day"][11:]
    try:
        issue_id = IssueId.parse(f"{newsletter.name}/{day}" + (f"/{number}" if number else ""))
    except InputError as error:
        raise NotFoundError(str(error)) from None
    issue = ask.room.issues.get(issue_id)
    if issue.state is not IssueState.SUBMITTED or issue_id.day != ask.path["day"]:
        raise NotFoundError(f"{issue_id} is not in the archive")
    return issue
