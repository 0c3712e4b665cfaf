"""The stylesheets, the icon, and what pages are nicer with: scripts of ours."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import static_files

__all__ = ["static"]

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def static(ask: Ask) -> Response:
    """One of our own files; its address changes with its content, so browsers keep it."""
    name = ask.path["name"]
    if name not in static_files():
        raise HTTPException(404)
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(static_files()[name], media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
