"""The mirror image of a mail, for editions written from right to left: what stood left stands right.

Logical properties (`padding-inline-start`) would need no mirror, but Outlook and Gmail know only left and right.
"""

from __future__ import annotations

import re

__all__ = ["mirrored"]

_STYLE_ATTRIBUTE = re.compile(r'(?<= style=")[^"]*')
_STYLE_SHEET = re.compile(r"(?<=<style)[^>]*>.*?(?=</style>)", re.DOTALL)
_DECLARATIONS = re.compile(r"\{[^{}]*\}")
_ALIGN = re.compile(r'(?<= align=")(?:left|right)(?=")')
_SIDE = re.compile(r"(?<![\w/.])(left|right|ltr|rtl)(?![\w/.])|(?<=-)(left|right)(?![\w/.])")
_SIDES = {"left": "right", "right": "left", "ltr": "rtl", "rtl": "ltr"}
_BOX = re.compile(
    r"(?P<name>\b(?:padding|margin|border-(?:width|style|color|radius))\s*:\s*)(?P<values>[^;}!{]+?)(?=\s*(?:[;}!]|$))"
)


def mirrored(html: str) -> str:
    """`html` with left and right changed in `align` and in every style; text and addresses stay as they are."""
    html = _ALIGN.sub(lambda side: _SIDES[side[0]], html)
    html = _STYLE_ATTRIBUTE.sub(lambda style: _turned(style[0]), html)
    return _STYLE_SHEET.sub(lambda sheet: _DECLARATIONS.sub(lambda block: _turned(block[0]), sheet[0]), html)


def _turned(declarations: str) -> str:
    return _BOX.sub(_turned_box, _SIDE.sub(lambda side: _SIDES[side[0]], declarations))


def _turned_box(box: re.Match[str]) -> str:
    """Four values are top, right, bottom, left; those of a radius are the corners from top left on, clockwise."""
    values = box["values"].split()
    if "radius" in box["name"]:
        if "/" not in values and len(values) > 1:
            # What is left out is the opposite corner's.
            corners = [*values, *values[len(values) - 2 : 2]]
            values = [corners[1], corners[0], corners[3], corners[2]]
    elif len(values) == 4:
        values = [values[0], values[3], values[2], values[1]]
    return box["name"] + " ".join(values)
