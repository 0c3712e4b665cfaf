"""A fresh link to one's data: mailed to the address, and to nobody else."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import own_data, requests
from newsletter.web.asking import Ask
from newsletter.web.pages import public_page
from newsletter.web.public.askers import ask_for_mail, network_of
from newsletter.web.public.language import spoken

__all__ = ["data_mail"]


def data_mail(ask: Ask) -> Response:
    """A form; posted, the same answer whether or not the address is known."""
    words, status = spoken(ask), 200
    if ask.posted:
        network = network_of(ask.client)
        try:
            signup = requests.read_address(ask.room, ask.field("email"))
        except InputError:
            status = 400
        else:
            if ask_for_mail(network, signup.address.key):
                own_data.ask_for_data(ask.room, signup, language=words["language"], network=network)
    return public_page(
        "data_mail.html",
        status=status,
        email=ask.field("email")[:320],
        asked=ask.posted and status == 200,
        wrong=status == 400,
        **words,
    )
