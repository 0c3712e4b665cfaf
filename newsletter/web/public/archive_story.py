"""One story in the archive of a public newsletter, as it is now."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.errors import NotFoundError
from newsletter.newsroom.intake.story_pages import PageState, story_page
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_newsletter import public_newsletter

__all__ = ["archive_story"]

_STATUS = {PageState.SHOWN: 200, PageState.WITHDRAWN: 410, PageState.NOT_NOW: 404, PageState.NOT_YET: 404}


def archive_story(ask: Ask) -> Response:
    """The story's card, the way to its outlet first; 410 for one that was withdrawn.

    Speaks the language of `?lang=`, if the newsletter has it.
    """
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    asked = ask.query.get("lang", "")
    language = asked if asked in newsletter.languages else newsletter.languages[0]
    page = story_page(ask.room, newsletter, ask.path["story"], language)
    if page is None:
        raise NotFoundError(f"{newsletter.name} has no such story")
    return public_page(
        "archive_story.html",
        status=_STATUS[page.state],
        headers=INDEXED if page.state is PageState.SHOWN else None,
        newsletter=newsletter,
        language=language,
        direction=render.direction(language),
        state=page.state,
        card=page.card,
        contact=newsletter.sender.reply_to or newsletter.sender.address,
        **ask.room.templates.words(language),
    )
