"""The link in the mail that a sign-up brings: GET shows what will come, POST subscribes."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import readers, requests
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.askers import network_of
from newsletter.web.public.language import spoken
from newsletter.web.public.refusals import no_such_link

__all__ = ["confirm"]


def confirm(ask: Ask) -> Response:
    """A button, for programs that scan mail open every link; pressed once, it subscribes."""
    asked = requests.request_of(ask.room, ask.path["token"])
    newsletters = ask.plan.newsletters
    offered = [newsletters[name] for name in asked.newsletters if name in newsletters] if asked else []
    if asked is None or not offered:
        return no_such_link(ask)
    chosen = ask.form.get("newsletter", ()) if ask.posted else asked.newsletters
    status, held = 200, None
    if ask.posted:
        try:
            held = requests.confirm(ask.room, asked, chosen, network=network_of(ask.client))
        except InputError:
            status = 400
    first = next((each for each in offered if each.name in chosen), offered[0])
    return public_page(
        "confirm.html",
        status=status,
        headers=NO_REFERRER,
        title=offered[0].title,
        email=asked.address.email,
        offered=offered,
        chosen=chosen,
        done=held is not None,
        used=held is None and (asked.confirmed_at is not None or (ask.posted and status == 200)),
        wrong=status == 400,
        preferences=readers.preferences_address(ask.room, held, first) if held else "",
        **spoken(ask, asked.language),
    )
