"""File a story under a country: an editor's word, which no source overwrites."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.intake import stories
from newsletter.web.asking import Ask

__all__ = ["story_file"]


def story_file(ask: Ask) -> Response:
    """File it, and go back to the list it was filed from."""
    assert ask.account is not None
    stories.file_under(ask.room, ask.field("story"), ask.field("country").strip(), ask.account.email)
    back = ask.field("back")
    return RedirectResponse(back if back == "/stories" or back.startswith("/stories?") else "/stories?undecided=1", 303)
