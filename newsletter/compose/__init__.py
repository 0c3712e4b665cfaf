"""Decides what an issue says: selection, order, related reading. No clock, no database, no network inside."""

from __future__ import annotations

from newsletter.compose.editions import choose_edition, sections_of
from newsletter.compose.related import KEPT, WINDOW, Offer, chosen, rank
from newsletter.compose.sameness import NEAR_IDENTICAL, keys_of
from newsletter.compose.selection import Relate, compose

__all__ = [
    "KEPT",
    "NEAR_IDENTICAL",
    "WINDOW",
    "Offer",
    "Relate",
    "choose_edition",
    "chosen",
    "compose",
    "keys_of",
    "rank",
    "sections_of",
]
