"""Bring a file of subscribers: the form, and the files that were brought lately."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import imports
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["subscriber_import"]


def subscriber_import(ask: Ask) -> Response:
    """The form; changes nothing."""
    titles = {name: each.title for name, each in ask.plan.newsletters.items()}
    return desk_page(ask, "subscriber_import.html", titles=titles, kept=imports.kept(ask.room))
