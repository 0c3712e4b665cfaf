"""An error reported by a reader, by the link in a mail or on a story's page: no login, no script, nobody's name."""

from __future__ import annotations

import math

from starlette.responses import Response

from newsletter import render
from newsletter.errors import InputError
from newsletter.newsroom.readership import reports
from newsletter.newsroom.readership.reports import MOST_WORDS, Reportable
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.askers import network_of
from newsletter.web.public.refusals import no_such_link
from newsletter.web.throttle import Throttle

__all__ = ["report"]

# Of one network, and of all together: whoever has many networks fills no queue either.
_networks = Throttle(10, 60 * 60.0)
_everybody = Throttle(300, 60 * 60.0)


def report(ask: Ask) -> Response:
    """GET shows the form and changes nothing; POST puts what was written into the editors' queue.

    A program that fills in the field nobody sees gets the same thanks.
    """
    about = reports.reportable(ask.room, ask.path["token"])
    if about is None:
        return no_such_link(ask)
    if not ask.posted:
        return _page(ask, about)
    if ask.field("website"):
        return _page(ask, about, sent=True)
    if wait := max(_networks.wait(network_of(ask.client)), _everybody.wait("")):
        response = _page(ask, about, trouble="often", status=429)
        response.headers["retry-after"] = str(math.ceil(wait))
        return response
    try:
        reports.report(ask.room, about, ask.field("story"), ask.field("words"))
    except InputError:
        return _page(ask, about, trouble="words", status=400)
    _networks.fail(network_of(ask.client))
    _everybody.fail("")
    return _page(ask, about, sent=True)


def _page(ask: Ask, about: Reportable, *, sent: bool = False, trouble: str = "", status: int = 200) -> Response:
    language = about.language or _asked(ask, about)
    return public_page(
        "report.html",
        status=status,
        headers=NO_REFERRER,
        about=about,
        sent=sent,
        trouble=trouble,
        story=ask.field("story"),
        words=ask.field("words"),
        most=MOST_WORDS,
        language=language,
        direction=render.direction(language),
        **ask.room.templates.words(language),
    )


def _asked(ask: Ask, about: Reportable) -> str:
    """The language of the page that led here, if the newsletter has it."""
    newsletter = ask.newsletter(about.newsletter)
    offered = newsletter.languages if newsletter else ("en",)
    asked = ask.query.get("lang", "")
    return asked if asked in offered else offered[0]
