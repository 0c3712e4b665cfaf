"""The editions of one issue in the archive, to choose from."""

from __future__ import annotations

from starlette.responses import Response

from newsletter import render
from newsletter.countries import country_name
from newsletter.model import Edition
from newsletter.newsroom.issue import previews
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_issue import archived_issue
from newsletter.web.public.archive_newsletter import public_newsletter
from newsletter.web.public.language import spoken_by

__all__ = ["archive_editions"]


def archive_editions(ask: Ask) -> Response:
    """A page of what was sent under one date: an edition for each set of countries and language."""
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    issue = archived_issue(ask, newsletter)
    assert issue.snapshot is not None
    countries, words = issue.snapshot.countries, spoken_by(ask, newsletter)
    held = sorted(previews.sealed(ask.room, issue), key=lambda edition: (-len(edition.countries), edition))
    return public_page(
        "archive_editions.html",
        headers=INDEXED,
        newsletter=newsletter,
        date=render.date_in_words(issue.id.date, words["language"]),
        name=ask.path["day"],
        editions=[(edition, edition.countries == countries, _named(edition, words["language"])) for edition in held],
        several=len({edition.language for edition in held}) > 1,
        address=f"{ask.room.settings.base_url}{ask.request.url.path}",
        **words,
    )


def _named(edition: Edition, language: str) -> str:
    """Its countries, of more than four the first three and how many more."""
    names = [country_name(country, language) for country in edition.countries]
    return ", ".join(names if len(names) <= 4 else [*names[:3], f"+{len(names) - 3}"])
