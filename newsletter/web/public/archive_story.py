"""One story in the archive of a public newsletter, as it is now."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import NotFoundError
from newsletter.newsroom.intake.story_pages import PageState, StoryPage, story_page
from newsletter.newsroom.readership import reports
from newsletter.plan import Newsletter
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_newsletter import public_newsletter
from newsletter.web.public.language import spoken_by

__all__ = ["archive_story"]

_STATUS = {PageState.SHOWN: 200, PageState.WITHDRAWN: 410, PageState.NOT_NOW: 404, PageState.NOT_YET: 404}


def archive_story(ask: Ask) -> Response:
    """The story's card, the way to its outlet first; 410 for one that was withdrawn.

    Speaks the language of `?lang=`, if the newsletter has it.
    """
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    words = spoken_by(ask, newsletter)
    language: str = words["language"]
    page = story_page(ask.room, newsletter, ask.path["story"], language)
    if page is None:
        raise NotFoundError(f"{newsletter.name} has no such story")
    return public_page(
        "archive_story.html",
        status=_STATUS[page.state],
        headers=INDEXED if page.state is PageState.SHOWN else None,
        newsletter=newsletter,
        state=page.state,
        card=page.card,
        report=_report(ask, newsletter, page, language),
        address=f"{ask.room.settings.base_url}{ask.request.url.path}",
        **words,
    )


def _report(ask: Ask, newsletter: Newsletter, page: StoryPage, language: str) -> str:
    """Where an error in the story is reported, in the page's language; nowhere while the story is not shown."""
    if not page.story:
        return ""
    address = reports.address_of_story(ask.room, newsletter.name, page.story)
    return address if language == newsletter.languages[0] else f"{address}?lang={language}"
