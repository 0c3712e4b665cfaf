"""What a reader wants to hear, how often, in which language, and when not: by the link in a mail."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import readers, requests
from newsletter.newsroom.readership.readers import PAUSES, ZONES
from newsletter.tokens import Purpose
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.language import spoken
from newsletter.web.public.refusals import no_such_link

__all__ = ["preferences"]


def preferences(ask: Ask) -> Response:
    """What the newsletter offers to choose from, and no more; posted, it is kept."""
    reader = readers.reader_of(ask.room, Purpose.PREFERENCES, ask.path["token"])
    if reader is None or reader.newsletter is None:
        return no_such_link(ask)
    saved, wrong, before = False, False, reader.subscriber.preferences.language
    frequencies = requests.served_to(ask.room, reader)
    if ask.posted:
        try:
            reader = readers.choose(
                ask.room,
                reader,
                countries=ask.form.get("country", ()),
                frequency=ask.field("frequency") if ask.field("frequency") in frequencies else "",
                language=ask.field("language"),
                timezone=ask.field("timezone"),
                pause=ask.field("pause"),
            )
            saved = True
        except InputError:
            wrong = True
    assert reader.newsletter is not None
    held, offered = reader.subscriber.preferences, reader.newsletter.countries
    paused = held.paused_until if held.paused_until and held.paused_until > ask.now else None
    return public_page(
        "preferences.html",
        status=400 if wrong else 200,
        headers=NO_REFERRER,
        title=reader.titles[0],
        leaving=readers.ways_out(ask.room, reader.subscriber),
        email=reader.subscriber.email,
        subscribed=reader.subscribed,
        offered=offered,
        chosen=() if wrong else [each for each in offered if held.countries is None or each in held.countries],
        frequencies=frequencies,
        frequency=held.frequency,
        own_languages=reader.newsletter.languages,
        own_language=held.language or reader.newsletter.languages[0],
        local_time=requests.keeps_local_time(ask.room, reader),
        timezone=held.timezone or "",
        zones=dict.fromkeys((held.timezone, *ZONES) if held.timezone else ZONES),
        pauses=PAUSES,
        paused=paused.astimezone(reader.newsletter.timezone).date() if paused else None,
        saved=saved,
        wrong=wrong,
        **spoken(
            ask,
            held.language or reader.newsletter.languages[0],
            chosen=held.language if saved and held.language != before else None,
        ),
    )
