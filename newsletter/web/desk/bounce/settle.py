"""What is to become of a provider's held bounces."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError, NothingToDoError
from newsletter.newsroom.readership import bouncing
from newsletter.web.asking import Ask

__all__ = ["bounce_settle"]


def bounce_settle(ask: Ask) -> Response:
    """Let those readers be, or suppress them all."""
    act, provider = ask.field("act"), ask.field("provider")
    if act not in ("release", "confirm"):
        raise InputError("held bounces are released or confirmed")
    number = bouncing.settle(ask.room, provider, dead=act == "confirm", who=ask.who)
    if not number:
        raise NothingToDoError("nothing of that provider is held any more")
    ask.remarks.append(f"{provider}: {number} {'suppressed' if act == 'confirm' else 'let be'}")
    ask.figures.forget()
    return RedirectResponse("/bounces", 303)
