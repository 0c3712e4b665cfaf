"""Another address: asked for by a fresh link, and done when the old address and the new one have both agreed."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import own_data, requests
from newsletter.render import listed
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.askers import ask_for_mail, network_of
from newsletter.web.public.language import spoken
from newsletter.web.public.refusals import no_such_link

__all__ = ["address_change", "data_address"]


def data_address(ask: Ask) -> Response:
    """The form; posted, the same answer for every address, known or not."""
    found = own_data.whose(ask.room, ask.path["token"])
    if found is None:
        return no_such_link(ask)
    held, language = found
    words, wrong, address = spoken(ask, held.preferences.language or language), "", ask.field("email").strip()
    if ask.posted:
        network = network_of(ask.client)
        try:
            # Whoever has the link knows this one address: to say so tells nothing of others.
            if requests.read_address(ask.room, address).address.key == held.address.key:
                wrong = "same"
            elif ask_for_mail(network, address):
                own_data.ask_change(ask.room, held, address, language=words["language"], network=network)
        except InputError:
            wrong = "address"
    return public_page(
        "data_address.html",
        status=400 if wrong else 200,
        headers=NO_REFERRER,
        here=f"/data/{ask.path['token']}",
        held=held,
        email=address[:320],
        asked=ask.posted and not wrong,
        wrong=wrong,
        **words,
    )


def address_change(ask: Ask) -> Response:
    """The page that the mails to both addresses lead to: GET shows what would change, POST agrees or refuses."""
    move, status = own_data.moving(ask.room, ask.path["token"]), 200
    if move is None:
        return no_such_link(ask)
    match ask.field("answer") if ask.posted else "":
        case "agree":
            move = own_data.agree(ask.room, move, network_of(ask.client))
        case "refuse":
            move = own_data.refuse(ask.room, move)
        case _:
            status = 400 if ask.posted else 200
    words = spoken(ask, move.asked.language)
    titles = [each.title for name, each in ask.plan.newsletters.items() if name in move.asked.newsletters]
    return public_page(
        "address_change.html",
        status=status,
        headers=NO_REFERRER,
        move=move,
        titles=listed(titles, words["language"]),
        **words,
    )
