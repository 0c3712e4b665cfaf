"""Who a program is to this desk."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.web.api.operations import Operation, operation
from newsletter.web.api.shapes import Me
from newsletter.web.asking import Ask

__all__ = ["me"]


@operation(Operation(tag="tokens", summary="Tell whose token this is, and what it may do", answers={200: Me}))
def me(ask: Ask) -> Response:
    """The name of the token, and what it may do."""
    assert ask.bearer is not None
    return JSONResponse({"name": ask.bearer.name, "scope": str(ask.bearer.role)})
