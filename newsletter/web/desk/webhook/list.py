"""Webhooks: where to, of what, how it goes; and one more."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.programs import webhooks
from newsletter.storage import EventKind, Fate
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.words import EVENT_WORDS

__all__ = ["webhook_list", "webhook_make"]


def webhook_list(ask: Ask) -> Response:
    """The screen."""
    return _page(ask)


def webhook_make(ask: Ask) -> Response:
    """Make one, and show its secret this once."""
    events = [kind for kind in EventKind if kind in ask.form.get("event", ())]
    name, url, with_address = ask.field("name"), ask.field("url").strip(), bool(ask.field("with_address"))
    try:
        made, secret = webhooks.make(ask.room, name, url, events, with_address=with_address, who=ask.who)
    except InputError as error:
        typed = {"name": name, "url": url, "chosen": events, "with_address": with_address}
        return _page(ask, status=422, message=str(error), typed=typed)
    ask.remarks.append(f"{made.name}: {', '.join(events)}{', with addresses' if with_address else ''}")
    return _page(ask, made=made.name, secret=secret)


def _page(
    ask: Ask,
    *,
    status: int = 200,
    message: str = "",
    made: str = "",
    secret: str = "",
    typed: dict[str, object] | None = None,
) -> Response:
    counts = ask.room.webhooks.counts()
    return desk_page(
        ask,
        "webhook_list.html",
        status=status,
        message=message[:1].upper() + message[1:],
        made=made,
        secret=secret,
        typed=typed or {"name": "", "url": "", "chosen": list(EventKind), "with_address": False},
        events=EVENT_WORDS,
        webhooks=[(each, counts.get(each.id, {})) for each in ask.room.webhooks.all()],
        fates=list(Fate),
        live=ask.room.settings.live,
    )
