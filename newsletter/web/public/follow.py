"""A story's link in a mail whose clicks are counted: on to the story, whoever asks."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.newsroom.readership import clicks
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER
from newsletter.web.public.askers import network_of
from newsletter.web.public.refusals import no_such_link

__all__ = ["follow"]


def follow(ask: Ask) -> Response:
    """To the address that was kept with the link, and to no other. Nothing is written, and HEAD is not even counted;
    nor is what a browser fetches before anybody asked for it."""
    key, asked = ask.path["link"], ask.request
    early = "prefetch" in asked.headers.get("sec-purpose", asked.headers.get("purpose", ""))
    if asked.method == "GET" and not early:
        agent = asked.headers.get("user-agent", "")
        address = clicks.follow(ask.room, key, network_of(ask.client), agent)
    else:
        address = clicks.destination(ask.room, key)
    return RedirectResponse(address, 302, NO_REFERRER) if address else no_such_link(ask)
