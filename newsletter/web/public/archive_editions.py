"""The editions of one issue in the archive, to choose from."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.issue import previews
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_issue import archived_issue
from newsletter.web.public.archive_newsletter import public_newsletter
from newsletter.web.words import edition_words

__all__ = ["archive_editions"]


def archive_editions(ask: Ask) -> Response:
    """A page of what was sent under one date: an edition for each set of countries and language."""
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    issue = archived_issue(ask, newsletter)
    assert issue.snapshot is not None
    countries = issue.snapshot.countries
    held = sorted(previews.sealed(ask.room, issue), key=lambda edition: (-len(edition.countries), edition))
    return public_page(
        "archive_editions.html",
        headers=INDEXED,
        newsletter=newsletter,
        issue=issue,
        name=ask.path["day"],
        editions=[(edition.key, edition_words(edition, countries)) for edition in held],
    )
