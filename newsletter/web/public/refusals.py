"""What a reader is told instead of the page they asked for, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.language import spoken

__all__ = ["Kind", "no_such_link", "refused"]

Kind = Literal["nothing here", "no such link", "own link", "cannot", "later"]


def refused(ask: Ask, kind: Kind, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Calm words that give away nothing of the desk."""
    return public_page("refusal.html", status=status, headers=headers, kind=kind, **spoken(ask))


def no_such_link(ask: Ask) -> Response:
    """The same whether the link was cut short, forged, or made for something else."""
    return refused(ask, "no such link", 404, NO_REFERRER)
