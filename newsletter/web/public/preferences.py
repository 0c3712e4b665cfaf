"""The countries a reader wants to hear from, by the link in a mail."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import readers
from newsletter.tokens import Purpose
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.refusals import no_such_link

__all__ = ["preferences"]


def preferences(ask: Ask) -> Response:
    """The newsletter's countries as boxes to tick; posted, they are kept."""
    reader = readers.reader_of(ask.room, Purpose.PREFERENCES, ask.path["token"])
    if reader is None or reader.newsletter is None:
        return no_such_link()
    offered = reader.newsletter.countries
    held = reader.subscriber.preferences.countries
    chosen = offered if held is None else tuple(country for country in offered if country in held)
    saved = False
    if ask.posted:
        chosen = tuple(country for country in offered if country in ask.form.get("country", ()))
        if chosen:
            readers.set_countries(ask.room, reader, chosen)
            saved = True
    return public_page(
        "preferences.html",
        status=200 if saved or not ask.posted else 400,
        headers=NO_REFERRER,
        title=reader.title,
        email=reader.subscriber.email,
        subscribed=reader.subscribed,
        offered=offered,
        chosen=chosen,
        saved=saved,
        nothing_chosen=ask.posted and not saved,
    )
