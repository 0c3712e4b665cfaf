"""The desk's issues: a page of them, one with its stories, the books of one."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.responses import JSONResponse, Response

from newsletter.errors import InputError, NotFoundError
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import documents
from newsletter.web.api.fields import Limit, NewsletterName, Query
from newsletter.web.api.operations import Operation, operation
from newsletter.web.api.shapes import Book, IssuePage, IssueWhole
from newsletter.web.asking import Ask

__all__ = ["api_books", "api_issue", "api_issues"]

_IssueKey = Annotated[
    str, Field(max_length=160, pattern=r"^[a-z0-9][a-z0-9-]*/[0-9]{4}-[0-9]{2}-[0-9]{2}(/[1-9][0-9]{0,3})?$")
]


class _Issues(Query):
    newsletter: NewsletterName | None = None
    state: IssueState | None = None
    after: _IssueKey | None = None
    limit: Limit = 50


@operation(
    Operation(
        tag="issues",
        summary="List issues, latest due first",
        query=_Issues,
        answers={200: IssuePage},
        problems=(404,),
    )
)
def api_issues(ask: Ask, asked: _Issues) -> Response:
    """A page of issues."""
    found = ask.room.issues.list(
        asked.newsletter,
        asked.limit + 1,
        state=asked.state,
        after=_parsed(asked.after) if asked.after else None,
    )
    following = str(found[asked.limit - 1].id) if len(found) > asked.limit else None
    return JSONResponse({"issues": [documents.issue_row(each) for each in found[: asked.limit]], "next": following})


@operation(
    Operation(
        tag="issues",
        summary="Show one issue",
        detail="Its stories by country with their related reading, and what happened to it.",
        answers={200: IssueWhole},
        problems=(404,),
    )
)
def api_issue(ask: Ask) -> Response:
    """One issue."""
    return JSONResponse(documents.issue_document(ask.room, ask.room.issues.get(_named(ask))))


@operation(
    Operation(
        tag="issues",
        summary="Show the books of an issue",
        detail="Candidates, who was left out and why, and what became of each message.",
        answers={200: Book},
        problems=(404,),
    )
)
def api_books(ask: Ask) -> Response:
    """The books, as `newsletter issue status --json` has them."""
    return JSONResponse(documents.status_document(ask.room, _named(ask)))


def _named(ask: Ask) -> IssueId:
    """The issue that the address names: `asia-ai-daily/2026-05-27`, a second one of the day `…/2026-05-27-2`."""
    year, month, day, *number = ask.path["day"].split("-")
    return _parsed("/".join([ask.path["newsletter"], f"{year}-{month}-{day}", *number]))


def _parsed(text: str) -> IssueId:
    """The issue of that id; of a day that no calendar has there is none."""
    try:
        return IssueId.parse(text)
    except InputError as error:
        raise NotFoundError(str(error)) from None
