"""Revoke an API token."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import NotFoundError
from newsletter.web.asking import Ask

__all__ = ["token_revoke"]


def token_revoke(ask: Ask) -> Response:
    """End it at once."""
    name = ask.room.api_tokens.revoke(ask.path["number"], ask.now)
    if name is None:
        raise NotFoundError("there is no API token in force of that number")
    ask.remarks.append(name)
    return RedirectResponse("/tokens", 303)
