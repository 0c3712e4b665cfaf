"""Decides what an issue says: selection, order, related reading. No clock, no database, no network inside."""

from __future__ import annotations

from newsletter.compose.editions import choose_edition
from newsletter.compose.related import KEPT, WINDOW, Offer, chosen, rank
from newsletter.compose.sameness import COPIES_WITHIN, NEAR_IDENTICAL, Apart, keys_of, told_before
from newsletter.compose.selection import Relate, compose

__all__ = [
    "COPIES_WITHIN",
    "KEPT",
    "NEAR_IDENTICAL",
    "WINDOW",
    "Apart",
    "Offer",
    "Relate",
    "choose_edition",
    "chosen",
    "compose",
    "keys_of",
    "rank",
    "told_before",
]
