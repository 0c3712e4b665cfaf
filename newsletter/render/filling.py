"""Slots of a rendered edition filled for one pair of eyes: previews and the web view."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import escape

from newsletter.ports import SLOT_NAMES, slot
from newsletter.render.wording import visible

__all__ = ["fill_html", "fill_text"]

_MARKS = re.compile("|".join(map(slot, SLOT_NAMES)))


def fill_html(html: str, slots: Mapping[str, str]) -> str:
    """`html` with each slot's value, escaped; `ValueError` names a slot without a value."""
    return _fill(html, {name: str(escape(value)) for name, value in slots.items()})


def fill_text(text: str, slots: Mapping[str, str]) -> str:
    """`text` with each slot's value on one line; `ValueError` names a slot without a value."""
    return _fill(text, slots)


def _fill(body: str, slots: Mapping[str, str]) -> str:
    def value(mark: re.Match[str]) -> str:
        name = mark[0][1:-1]
        if name not in slots:
            raise ValueError(f"the slot {name!r} has no value; give one (empty is a value too)")
        return visible(slots[name])

    filled = _MARKS.sub(value, body)
    if "\ufdd0" in filled or "\ufdd1" in filled:
        raise ValueError("a mark of a slot that does not exist is left in this edition; render it again")
    return filled
