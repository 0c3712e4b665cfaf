"""Shows and takes orders: one file per screen action, each in the same five steps (who, read, check, one newsroom
verb, answer). The doors open on first use, so that importing this room loads neither Starlette nor Jinja2."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from newsletter.web.app import make_app
    from newsletter.web.serve import WebServer, serve

__all__ = ["WebServer", "make_app", "serve"]

_DOORS = {"WebServer": "serve", "make_app": "app", "serve": "serve"}


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
