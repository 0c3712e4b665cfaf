"""One subscriber: subscriptions with their evidence, preferences, history; and what an admin may end."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import subscriptions
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.recording import record

__all__ = ["subscriber", "subscriber_change"]


def subscriber(ask: Ask) -> Response:
    """Whom the query names by address. That somebody looked is a line of the audit log, which is all that looking
    adds."""
    address = ask.query.get("address", "")
    held = subscriptions.show(ask.room, address)
    whom = subscriptions.whom(ask.room, address)
    if ask.request.method == "GET":
        ask.remarks.append(whom)
        record(ask, "subscriber")
    titles = {n: e.title for n, e in ask.plan.newsletters.items()}
    return desk_page(ask, "subscriber.html", held=held, known=whom != subscriptions.NOBODY, titles=titles)


def subscriber_change(ask: Ask) -> Response:
    """End one subscription or all, let or never let the address be mailed again, or erase the person."""
    address, act = ask.field("address"), ask.field("act")
    whom = subscriptions.whom(ask.room, address)
    match act:
        case "unsubscribe":
            subscriptions.end(ask.room, address, ask.field("newsletter") or None, who=ask.who)
        case "suppress":
            subscriptions.suppress(ask.room, address, who=ask.who)
        case "unsuppress":
            subscriptions.unsuppress(ask.room, address, ask.field("reason")[:300], who=ask.who)
        case "erase":
            if ask.field("typed").strip() != address:
                raise InputError("the address that was typed is not the one on the screen, so nobody was erased")
            subscriptions.forget(ask.room, address)
        case _:
            raise InputError("nothing was asked for that this screen knows")
    ask.remarks.append(whom)
    ask.figures.forget()
    place = "/subscribers" if act == "erase" else f"/subscribers/one?{urlencode({'address': address})}"
    return RedirectResponse(place, 303)
