"""The end of everything that is held of a reader, by a fresh link."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.newsroom.readership import own_data
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.language import spoken
from newsletter.web.public.refusals import no_such_link

__all__ = ["data_delete"]


def data_delete(ask: Ask) -> Response:
    """GET says what will happen; POST does it, and the link is dead afterwards."""
    found = own_data.whose(ask.room, ask.path["token"])
    if found is None:
        return no_such_link(ask)
    held, language = found
    words = spoken(ask, held.preferences.language or language)
    done = ask.posted and ask.field("delete") == "everything"
    if done:
        own_data.delete(ask.room, held)
        ask.figures.forget()
    return public_page(
        "data_delete.html",
        status=400 if ask.posted and not done else 200,
        headers=NO_REFERRER | {"cache-control": "no-store"},
        here=f"/data/{ask.path['token']}",
        email=held.email,
        done=done,
        **words,
    )
