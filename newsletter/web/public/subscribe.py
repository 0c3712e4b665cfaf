"""Asking to be subscribed: nothing comes of it before the address has answered the mail that it gets."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.readership import readers, requests
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.askers import ask_for_mail, network_of
from newsletter.web.public.language import spoken

__all__ = ["subscribe"]


def subscribe(ask: Ask) -> Response:
    """The form; posted, the same answer in the same time whether or not the address is known, or was too often here."""
    newsletters = requests.offered(ask.room)
    if not newsletters:
        raise NotFoundError("this desk has no newsletter that anybody may subscribe to")
    if not ask.posted:
        return _page(ask)
    language: str = spoken(ask)["language"]
    try:
        signup = requests.read_subscription(
            ask.room,
            ask.field("email"),
            [each.name for each in newsletters] if len(newsletters) == 1 else ask.form.get("newsletter", ()),
            countries=ask.form.get("country", ()),
            frequency=ask.field("frequency"),
            language=language,
        )
    except InputError:
        return _page(ask, status=400)
    network = network_of(ask.client)
    # A field that no person sees is filled in by programs alone.
    if not ask.field("website") and ask_for_mail(network, signup.address.key):
        requests.ask_to_subscribe(ask.room, signup, language=language, network=network)
    return _page(ask, asked=True)


def _page(ask: Ask, *, status: int = 200, asked: bool = False) -> Response:
    newsletters = requests.offered(ask.room)
    ticked = ask.form.get("newsletter", ()) if ask.posted else ask.query.getlist("newsletter")
    countries = list(dict.fromkeys(country for each in newsletters for country in each.countries))
    return public_page(
        "subscribe.html",
        status=status,
        newsletters=newsletters,
        ticked=ticked or [newsletters[0].name],
        countries=countries,
        chosen=ask.form.get("country", ()) if ask.posted else countries,
        frequencies=readers.served(newsletters),
        frequency=ask.field("frequency"),
        email=ask.field("email")[:320],
        asked=asked,
        wrong=status == 400,
        **spoken(ask),
    )
