"""Amazon SNS, telling what came back to Amazon SES."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.newsroom.readership import notifications
from newsletter.web.asking import Ask

__all__ = ["bounces_sns"]


def bounces_sns(ask: Ask) -> Response:
    """Take one message of the topic, once its signature is Amazon's; what it says of whom is answered to nobody."""
    notifications.take(ask.room, ask.body)
    return JSONResponse({"taken": True})
