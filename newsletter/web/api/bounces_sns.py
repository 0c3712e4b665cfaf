"""Amazon SNS, telling what came back to Amazon SES."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.newsroom.readership import notifications
from newsletter.web.api.operations import Operation, undeclared
from newsletter.web.api.shapes import Received
from newsletter.web.asking import Ask

__all__ = ["bounces_sns"]


@undeclared(
    Operation(
        tag="notifications",
        summary="A message of Amazon SNS",
        detail="With Amazon's signature, of the topic of `NEWSLETTER_BOUNCES_TOPIC`.",
        raw={"type": "object"},
        answers={200: Received},
        problems=(400, 404),
    )
)
def bounces_sns(ask: Ask) -> Response:
    """Take one message of the topic, once its signature is Amazon's; what it says of whom is answered to nobody."""
    notifications.take(ask.room, ask.body)
    return JSONResponse({"taken": True})
