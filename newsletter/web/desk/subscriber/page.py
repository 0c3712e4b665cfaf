"""One subscriber: subscriptions with their evidence, preferences, history; and what an admin may end."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import subscriptions
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["subscriber", "subscriber_change"]


def subscriber(ask: Ask) -> Response:
    """Whom the query names by address."""
    held = subscriptions.show(ask.room, ask.query.get("address", ""))
    return desk_page(ask, "subscriber.html", held=held, titles={n: e.title for n, e in ask.plan.newsletters.items()})


def subscriber_change(ask: Ask) -> Response:
    """End one subscription or all, or never mail the address again."""
    address, act = ask.field("address"), ask.field("act")
    match act:
        case "unsubscribe":
            subscriptions.end(ask.room, address, ask.field("newsletter") or None, who=ask.who)
        case "suppress":
            subscriptions.suppress(ask.room, address, who=ask.who)
        case _:
            raise InputError("nothing was asked for that this screen knows")
    ask.figures.forget()
    return RedirectResponse(f"/subscribers/one?{urlencode({'address': address})}", 303)
