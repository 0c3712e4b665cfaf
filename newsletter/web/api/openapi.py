"""The OpenAPI document, for whoever writes a program that talks to this desk."""

from __future__ import annotations

from functools import cache

from pydantic import ConfigDict
from starlette.responses import Response
from starlette.routing import Route

from newsletter.web.api.document import api_document
from newsletter.web.api.fields import Answer
from newsletter.web.api.operations import Operation, undeclared
from newsletter.web.asking import Ask
from newsletter.web.policy import ACCESS

__all__ = ["openapi"]


class _Document(Answer):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")


@undeclared(Operation(tag="about", summary="This document", answers={200: _Document}))
def openapi(ask: Ask) -> Response:
    """The document of the routes that this application has; the same for everybody, so it may be kept for a while."""
    routes = tuple(
        (route.path, tuple(sorted(route.methods or ())), route.name)
        for route in ask.request.app.routes
        if isinstance(route, Route)
    )
    kept = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}
    return Response(_written(routes), media_type="application/json", headers=kept)


@cache
def _written(routes: tuple[tuple[str, tuple[str, ...], str], ...]) -> bytes:
    import json

    return json.dumps(api_document(routes, ACCESS), ensure_ascii=False, separators=(",", ":")).encode()
