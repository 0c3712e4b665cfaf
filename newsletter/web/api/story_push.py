"""Stories pushed by the publisher's own system: the same objects as in a story file, idempotent on their identity."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.newsroom.intake import gathering
from newsletter.web.api.keys import source_of_key
from newsletter.web.asking import Ask

__all__ = ["story_push"]


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
