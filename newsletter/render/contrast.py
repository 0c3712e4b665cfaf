"""Whether the colours of a theme can be read: text on its ground, light and dark (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from newsletter.model import Finding, Severity

__all__ = ["contrast", "faint_colours"]

READABLE = 4.5
"""The least contrast of text that is not large."""

_PAIRS = (
    ("headline", "panel"), ("body", "panel"), ("meta", "panel"), ("accent", "panel"), ("meta", "page"),
    ("meta", "note"), ("note_label", "note"), ("button_text", "button"),
)  # fmt: skip
_COLOUR = re.compile(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")


def faint_colours(theme: Mapping[str, Any]) -> Iterator[Finding]:
    """Warnings about pairs of a theme's colours that differ too little; what is no #RRGGBB or #RGB is let pass."""
    for scheme in ("light", "dark"):
        colours = theme.get(scheme, {})
        for text, ground in _PAIRS:
            found = contrast(str(colours.get(text, "")), str(colours.get(ground, "")))
            if found is not None and found < READABLE:
                message = f"{scheme}.{text} on {scheme}.{ground} has a contrast of {found:.1f}; text needs {READABLE}."
                yield Finding(
                    Severity.WARNING,
                    "contrast",
                    f"theme.toml, {scheme}.{text}",
                    message,
                    "Choose colours further apart.",
                )


def contrast(one: str, other: str) -> float | None:
    """The contrast ratio of two colours, 1 to 21; None where either is no #RRGGBB or #RGB."""
    matches = _COLOUR.fullmatch(one), _COLOUR.fullmatch(other)
    if not matches[0] or not matches[1]:
        return None
    darker, lighter = sorted(_luminance(match[1]) for match in matches if match)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(digits: str) -> float:
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    channels = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
