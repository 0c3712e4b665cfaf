"""The pages that a personal link leads to, opened without one: from the web view, whose links are nobody's."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import error_page

__all__ = ["link_needed"]


def link_needed(_ask: Ask) -> Response:
    """Where the personal link is found."""
    return error_page(
        200,
        "Please use the link in your own mail",
        "Every mail we send has links at its foot that are made for its reader alone: one to change countries, one to"
        " unsubscribe. On the web they cannot know who you are. Have you lost it?",
    )
