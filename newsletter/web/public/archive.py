"""The public newsletters of this desk."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.plan import Newsletter
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.language import VARIES, spoken

__all__ = ["archive"]


def archive(ask: Ask) -> Response:
    """A list of newsletters whose issues anybody may read."""
    public = [newsletter for newsletter in ask.plan.newsletters.values() if newsletter.archive == "public"]
    words = spoken(ask)
    return public_page(
        "archive.html",
        headers={**INDEXED, **VARIES},
        newsletters=[(newsletter, *_appears(newsletter, words["language"])) for newsletter in public],
        address=f"{ask.room.settings.base_url}/archive/",
        **words,
    )


def _appears(newsletter: Newsletter, language: str) -> tuple[bool, str, str]:
    """Whether it is every day, else on which days, and at what time."""
    zone = render.zone_in_words(newsletter.timezone, language)
    days = render.days_in_words(newsletter.days, language)
    return len(newsletter.days) == 7, days, f"{newsletter.at:%H:%M} ({zone})"


INDEXED = {"x-robots-tag": "all", "cache-control": "public, max-age=300"}
"""What the archive's pages say to search engines and caches."""
