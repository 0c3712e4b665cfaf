"""File a story under a country: an editor's word, which no source overwrites."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom import stories
from newsletter.web.asking import Ask

__all__ = ["story_file"]


def story_file(ask: Ask) -> Response:
    """File it, and go back to what still waits."""
    assert ask.account is not None
    stories.file_under(ask.room, ask.field("story"), ask.field("country").strip(), ask.account.email)
    return RedirectResponse("/stories?undecided=1", 303)
