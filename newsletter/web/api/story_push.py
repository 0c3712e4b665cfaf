"""Stories pushed by the publisher's own system: the same objects as in a story file, idempotent on their identity."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.newsroom.intake import gathering
from newsletter.web.api.keys import source_of_key
from newsletter.web.api.operations import Operation, undeclared
from newsletter.web.api.shapes import Taken
from newsletter.web.asking import Ask

__all__ = ["story_push"]


_STORY = {
    "type": "object",
    "required": ["title", "url", "published_at"],
    "properties": {
        "title": {"type": "string"},
        "url": {"type": "string", "format": "uri"},
        "published_at": {"type": "string", "format": "date-time"},
        "external_id": {"type": "string"},
        "summary": {"type": "string"},
        "country": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}


@undeclared(
    Operation(
        tag="stories",
        summary="Push stories",
        detail="One object of a story file (docs/story-files.md) or a list of them, with the key of a source of kind"
        " `push`. The same story again changes nothing. What cannot be taken is reported, the rest is taken; 422 when"
        " nothing can.",
        raw={"oneOf": [_STORY, {"type": "array", "items": _STORY}]},
        answers={200: Taken, 422: Taken},
        problems=(400, 401),
    )
)
def story_push(ask: Ask) -> Response:
    """Take one story or a list; 200 with the counts, 422 when not one of them can be taken."""
    source = source_of_key(ask)
    ingested, refused = gathering.push(ask.room, source, ask.body)
    taken = ingested.new + ingested.revised + ingested.unchanged
    return JSONResponse(
        {
            "source": source.id,
            "new": ingested.new,
            "revised": ingested.revised,
            "known": ingested.unchanged,
            "refused": [{"where": each.where, "reason": each.reason} for each in refused],
        },
        status_code=422 if refused and not taken else 200,
    )
