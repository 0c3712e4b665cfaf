"""Import a file that was looked at, look at it again, or throw it away."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError
from newsletter.newsroom.readership import imports, replaying
from newsletter.newsroom.readership.imports import Stage
from newsletter.web.asking import Ask

__all__ = ["subscriber_file_order"]


def subscriber_file_order(ask: Ask) -> Response:
    """An import happens once, however often the form is sent."""
    brought, act = imports.find(ask.room, ask.path["brought"]), ask.field("act")
    match act:
        case "import":
            replaying.catch_up(ask.room)  # an import after a restored backup revives nobody
            imports.begin(ask.room, brought.id, Stage.IMPORTING)
            ask.figures.forget()
        case "look":
            imports.begin(ask.room, brought.id, Stage.LOOKING)
        case "drop":
            imports.drop(ask.room, brought.id)
        case _:
            raise InputError("nothing was asked for that this screen knows")
    ask.remarks.append(act)
    return RedirectResponse("/subscribers/import" if act == "drop" else ask.request.url.path, 303)
