"""Whether this process answers."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from newsletter.web.asking import Ask

__all__ = ["livez"]


def livez(_ask: Ask) -> Response:
    """200, always: whatever else is wrong, the process lives."""
    return PlainTextResponse("alive\n")
