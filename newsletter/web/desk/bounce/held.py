"""Providers whose bounces wait for somebody to look at them."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["bounce_held"]


def bounce_held(ask: Ask) -> Response:
    """All of them, the most readers first; addresses are not shown."""
    return desk_page(ask, "bounce_held.html", held=ask.room.bounces.held())
