"""Decides what an issue says: selection, order, related reading. No clock, no database, no network inside."""

from __future__ import annotations

from newsletter.compose import arranging
from newsletter.compose.best import Standing, Standings, best_first, root, standings_of
from newsletter.compose.editions import choose_edition
from newsletter.compose.related import KEPT, WINDOW, Offer, chosen, rank
from newsletter.compose.sameness import COPIES_WITHIN, NEAR_IDENTICAL, Apart, keys_of, told_before
from newsletter.compose.selection import Relate, compose, fitting, placing

__all__ = [
    "COPIES_WITHIN",
    "KEPT",
    "NEAR_IDENTICAL",
    "WINDOW",
    "Apart",
    "Offer",
    "Relate",
    "Standing",
    "Standings",
    "arranging",
    "best_first",
    "choose_edition",
    "chosen",
    "compose",
    "fitting",
    "keys_of",
    "placing",
    "rank",
    "root",
    "standings_of",
    "told_before",
]
