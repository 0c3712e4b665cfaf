"""A file of subscribers: what an import of it would do, how far it is, what it did."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import imports
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["subscriber_file"]


def subscriber_file(ask: Ask) -> Response:
    """The file as it stands now. While somebody works on it the page asks again by itself."""
    brought = imports.find(ask.room, ask.path["brought"])
    titles = {name: each.title for name, each in ask.plan.newsletters.items()}
    return desk_page(ask, "subscriber_file.html", brought=brought, titles=titles)
