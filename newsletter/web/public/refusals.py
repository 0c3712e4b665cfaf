"""What a reader is told instead of the page they asked for, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.language import spoken

__all__ = ["Kind", "no_such_link", "refused", "refused_with"]

Kind = Literal["nothing here", "no such link", "own link", "cannot", "too long", "broken", "later"]

_KINDS: Mapping[int, Kind] = {404: "nothing here", 413: "too long", 429: "later", 500: "broken", 503: "later"}


def refused(ask: Ask, kind: Kind, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Calm words that give away nothing of the desk."""
    return public_page("refusal.html", status=status, headers=headers, kind=kind, **spoken(ask))


def refused_with(ask: Ask, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The page for a status of HTTP that comes before any action, or instead of it."""
    return refused(ask, _KINDS.get(status, "cannot"), status, headers)


def no_such_link(ask: Ask) -> Response:
    """The same whether the link was cut short, forged, or made for something else."""
    return refused(ask, "no such link", 404, NO_REFERRER)
