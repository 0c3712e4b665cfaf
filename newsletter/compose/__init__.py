"""Decides what an issue says: selection, order, related reading. No clock, no database, no network inside.

The doors that need numpy and bm25s are opened on first use (PEP 562), so importing this room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from newsletter.compose.editions import choose_edition, sections_of

if TYPE_CHECKING:
    from newsletter.compose.related import Index, relate
    from newsletter.compose.selection import compose

__all__ = ["Index", "choose_edition", "compose", "relate", "sections_of"]

_DOORS = {"Index": "related", "relate": "related", "compose": "selection"}


def __getattr__(name: str) -> object:
    if name not in _DOORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
