"""A webhook of Ghost: the post that was just published or changed there."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.newsroom.intake import gathering
from newsletter.web.api.operations import Operation, undeclared
from newsletter.web.api.shapes import Taken
from newsletter.web.asking import Ask

__all__ = ["ghost_webhook"]


@undeclared(
    Operation(
        tag="notifications",
        summary="A webhook of Ghost",
        detail="Signed with the `webhook_key` of the source.",
        raw={"type": "object"},
        answers={200: Taken},
        problems=(400, 404),
    )
)
def ghost_webhook(ask: Ask) -> Response:
    """Take the post, once its signature fits the secret of the source that the address names."""
    source = gathering.source_plan(ask.room, ask.path["source"])
    signature = ask.request.headers.get("x-ghost-signature", "")
    ingested, refused = gathering.ghost_webhook(ask.room, source, ask.body, signature)
    return JSONResponse(
        {
            "source": source.id,
            "new": ingested.new,
            "revised": ingested.revised,
            "known": ingested.unchanged,
            "refused": [{"where": each.where, "reason": each.reason} for each in refused],
        }
    )
