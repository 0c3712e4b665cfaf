"""The past issues of one public newsletter."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.errors import NotFoundError
from newsletter.model import Issue, IssueState
from newsletter.plan import Newsletter
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.language import spoken_by

__all__ = ["archive_newsletter", "public_newsletter", "sent_issues"]

ROWS = 60


def archive_newsletter(ask: Ask) -> Response:
    """A page of the issues that went out, latest first."""
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    page, words = ask.page_number(), spoken_by(ask, newsletter)
    sent = sent_issues(ask, newsletter)
    return public_page(
        "archive_newsletter.html",
        headers=INDEXED,
        newsletter=newsletter,
        issues=[
            (issue.id, render.date_in_words(issue.id.date, words["language"]))
            for issue in sent[(page - 1) * ROWS : page * ROWS]
        ],
        page=page,
        more=len(sent) > page * ROWS,
        again=ask.again,
        address=f"{ask.room.settings.base_url}/archive/{newsletter.name}/{f'?page={page}' if page > 1 else ''}",
        **words,
    )


def sent_issues(ask: Ask, newsletter: Newsletter) -> list[Issue]:
    """The issues that went out, latest first."""
    return [issue for issue in ask.room.issues.list(newsletter.name) if issue.state is IssueState.SUBMITTED]


def public_newsletter(ask: Ask, name: str) -> Newsletter:
    """The newsletter of that name, if anybody may read it; else `NotFoundError`, whether or not there is one."""
    newsletter = ask.newsletter(name)
    if newsletter is None or newsletter.archive != "public":
        raise NotFoundError(f"no public newsletter is called {name!r}")
    return newsletter
