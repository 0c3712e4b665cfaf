"""One webhook: what it was told, how it answered, and what an admin may do about it."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.programs import webhooks
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page
from newsletter.web.words import EVENT_WORDS

__all__ = ["webhook", "webhook_order"]

ROWS = 50


def webhook(ask: Ask) -> Response:
    """The screen."""
    return _page(ask)


def webhook_order(ask: Ask) -> Response:
    """Switch it, try it, have an event sent again, or forget it."""
    found, act = ask.room.webhooks.get(ask.path["number"]), ask.field("act")
    ask.remarks.append(found.name)
    match act:
        case "on":
            webhooks.switch_on(ask.room, found)
        case "off":
            webhooks.switch_off(ask.room, found, who=ask.who)
        case "again":
            webhooks.send_again(ask.room, found, _number(ask.field("event")) or 0)
        case "remove":
            ask.room.webhooks.remove(found.id)
            return RedirectResponse("/webhooks", 303)
        case "test":
            return _page(ask, called=webhooks.try_out(ask.room, found))
        case _:
            raise InputError("nothing was asked for that this screen knows")
    return RedirectResponse(f"/webhooks/{found.id}", 303)


def _page(ask: Ask, *, called: object = None) -> Response:
    found = ask.room.webhooks.get(ask.path["number"])
    told = ask.room.webhooks.told(found.id, ROWS + 1, _number(ask.query.get("below", "")))
    return desk_page(
        ask,
        "webhook.html",
        hook=found,
        called=called,
        told=told[:ROWS],
        below=told[ROWS - 1].event if len(told) > ROWS else None,
        events=EVENT_WORDS,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None
