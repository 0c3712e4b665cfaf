"""Unsubscribe by the link in a mail: by button, or by the mail program itself."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import readers
from newsletter.render import listed
from newsletter.tokens import Purpose
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.language import spoken
from newsletter.web.public.refusals import no_such_link

__all__ = ["unsubscribe"]


def unsubscribe(ask: Ask) -> Response:
    """GET shows a button and changes nothing, because programs that scan mail open every link.

    POST acts at once, without cookies or redirects (RFC 8058, sections 3.1 and 3.2); the button sends the same field.
    """
    reader = readers.reader_of(ask.room, Purpose.UNSUBSCRIBE, ask.path["token"])
    if reader is None:
        return no_such_link(ask)
    done, status = "", 200
    if ask.posted and ask.field("List-Unsubscribe") == "One-Click":
        readers.unsubscribe(ask.room, reader, "unsubscribe page" if ask.field("by") == "button" else "one-click")
        done = "unsubscribed"
    elif ask.posted and ask.field("undo"):
        done = "undone" if readers.undo_unsubscribe(ask.room, reader) else "too late"
    elif ask.posted:
        status = 400
    newsletter, chosen = reader.newsletter, reader.subscriber.preferences.language
    words = spoken(ask, chosen or (newsletter.languages[0] if newsletter else None))
    return public_page(
        "unsubscribe.html",
        status=status,
        headers=NO_REFERRER,
        title=", ".join(reader.titles),
        titles=listed(reader.titles, words["language"]),
        email=reader.subscriber.email,
        subscribed=done == "undone" if done else reader.subscribed,
        done=done,
        **words,
    )
