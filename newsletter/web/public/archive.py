"""The public newsletters of this desk."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.words import when_words

__all__ = ["archive"]


def archive(ask: Ask) -> Response:
    """A list of newsletters whose issues anybody may read."""
    public = [newsletter for newsletter in ask.plan.newsletters.values() if newsletter.archive == "public"]
    return public_page(
        "archive.html", headers=INDEXED, newsletters=[(newsletter, when_words(newsletter)) for newsletter in public]
    )


INDEXED = {"x-robots-tag": "all", "cache-control": "public, max-age=300"}
"""What the archive's pages say to search engines and caches."""
