"""The pages that a personal link leads to, opened without one: from the web view, whose links are nobody's."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.public.refusals import refused

__all__ = ["link_needed"]


def link_needed(ask: Ask) -> Response:
    """Where the personal link is found."""
    return refused(ask, "own link", 200)
