"""The desk's stories: a page of them, one with its history, one withdrawn."""

from __future__ import annotations

from itertools import islice

from starlette.responses import JSONResponse, Response

from newsletter.model import StoryStatus
from newsletter.newsroom import documents
from newsletter.newsroom.intake import stories
from newsletter.web.api.fields import Body, Cursor, Flag, Limit, Place, Query, Reason, StoryKey, Word
from newsletter.web.api.operations import Operation, operation
from newsletter.web.api.shapes import StoryLine, StoryPage, StoryWhole
from newsletter.web.asking import Ask

__all__ = ["api_stories", "api_story", "api_story_withdraw"]


class _Stories(Query):
    country: Place | None = None
    source: Word | None = None
    status: StoryStatus | None = None
    undecided: Flag = "false"
    after: Cursor | None = None
    limit: Limit = 50


class _Story(Query):
    id: StoryKey


class _Withdrawal(Body):
    id: StoryKey
    reason: Reason


@operation(
    Operation(
        tag="stories",
        summary="List stories, latest published first",
        detail="With `undecided=true` only those that wait for a country.",
        query=_Stories,
        answers={200: StoryPage},
        problems=(404,),
    )
)
def api_stories(ask: Ask, asked: _Stories) -> Response:
    """A page of stories."""
    found = ask.room.stories.list(
        country=asked.country,
        source=asked.source,
        status=asked.status,
        undecided=asked.undecided == "true",
        after=asked.after or None,
        limit=asked.limit + 1,
    )
    shown = list(islice(found, asked.limit + 1))
    following = shown[asked.limit - 1].id if len(shown) > asked.limit else None
    rows = [documents.story_document(each) for each in shown[: asked.limit]]
    return JSONResponse({"stories": rows, "next": following})


@operation(
    Operation(
        tag="stories",
        summary="Show one story",
        detail="By its id, which may hold slashes and so stands in the query.",
        query=_Story,
        answers={200: StoryWhole},
        problems=(404,),
    )
)
def api_story(ask: Ask, asked: _Story) -> Response:
    """One story with its history."""
    story = ask.room.stories.get(asked.id)
    history = documents.story_history(ask.room.stories.events(asked.id))
    return JSONResponse(documents.story_document(story) | {"history": history})


@operation(
    Operation(
        tag="stories",
        summary="Withdraw a story",
        detail="It stands in no issue from then on, nor do its copies. The reason is kept with it.",
        body=_Withdrawal,
        answers={200: StoryLine},
        problems=(404, 409),
    )
)
def api_story_withdraw(ask: Ask, asked: _Withdrawal) -> Response:
    """Withdraw it, in the name of the token."""
    done = stories.set_status(ask.room, asked.id, StoryStatus.WITHDRAWN, ask.program, asked.reason)
    ask.remarks.append(asked.id)
    return JSONResponse(documents.story_document(done))
