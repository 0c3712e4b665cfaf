"""Asking to be subscribed: nothing comes of it before the address has answered the mail that it gets."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.errors import InputError, NotFoundError
from newsletter.newsroom.readership import readers, requests
from newsletter.plan import Newsletter
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
        return _page(ask, faults=_faults(ask, newsletters))
    network = network_of(ask.client)
    # A field that no person sees is filled in by programs alone.
    if not ask.field("website") and ask_for_mail(network, signup.address.key):
        requests.ask_to_subscribe(ask.room, signup, language=language, network=network)
    return _page(ask, asked=True)


def _faults(ask: Ask, newsletters: Sequence[Newsletter]) -> list[str]:
    """What of the form cannot be taken, in the order in which it stands there."""
    faults = []
    try:
        requests.read_address(ask.room, ask.field("email"))
    except InputError:
        faults.append("address")
    named = ask.form.get("newsletter", ())
    chosen = [each for each in newsletters if len(newsletters) == 1 or each.name in named]
    if not chosen:
        faults.append("newsletter")
    elif not any(country in each.countries for each in chosen for country in ask.form.get("country", ())):
        faults.append("country")
    return faults


def _page(ask: Ask, *, faults: Sequence[str] = (), asked: bool = False) -> Response:
    newsletters = requests.offered(ask.room)
    ticked = ask.form.get("newsletter", ()) if ask.posted else ask.query.getlist("newsletter")
    countries = list(dict.fromkeys(country for each in newsletters for country in each.countries))
    return public_page(
        "subscribe.html",
        status=400 if faults else 200,
        newsletters=newsletters,
        ticked=ticked if ticked or ask.posted else [newsletters[0].name],
        rhythms={each.name: readers.rhythm(each) for each in newsletters},
        countries=countries,
        chosen=ask.form.get("country", ()) if ask.posted else countries,
        frequencies=readers.served(newsletters),
        frequency=ask.field("frequency"),
        email=ask.field("email")[:320],
        asked=asked,
        faults=faults,
        **spoken(ask),
    )
