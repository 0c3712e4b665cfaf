"""Who a program is to this desk."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from newsletter.web.asking import Ask

__all__ = ["me"]


def me(ask: Ask) -> Response:
    """The name of the token, and what it may do."""
    assert ask.bearer is not None
    return JSONResponse({"name": ask.bearer.name, "scope": str(ask.bearer.role)})
