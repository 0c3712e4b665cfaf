"""The link to one's preferences, lost and mailed again."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import requests
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.askers import ask_for_mail
from newsletter.web.public.language import spoken

__all__ = ["link_mail"]


def link_mail(ask: Ask) -> Response:
    """Where the personal link is found, and a form; posted, the same answer whether or not the address is known."""
    words, status = spoken(ask), 200
    if ask.posted:
        network = requests.network_of(ask.client)
        try:
            signup = requests.read_address(ask.room, ask.field("email"))
        except InputError:
            status = 400
        else:
            if ask_for_mail(network, signup.address.key):
                requests.ask_for_link(ask.room, signup, language=words["language"], network=network)
    return public_page(
        "link_mail.html",
        status=status,
        email=ask.field("email")[:320],
        asked=ask.posted and status == 200,
        wrong=status == 400,
        **words,
    )
