"""A mail as Gmail's app shows it on a dark screen: its own dark style ignored, the lightness of every colour inverted.

Hue and chroma stay (CIE LCh of D65, CSS Color 4 section 18), as far as the screen can show the colour; pictures are not
touched.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["forced_dark"]

_COLOUR = re.compile(r"(?<![\w&/-])#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b(?=[\s;\"'},!)])")
_STYLED = re.compile(r"<style[^>]*>.*?</style>|\sstyle=\"[^\"]*\"|\sbgcolor=\"[^\"]*\"", re.DOTALL)
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_TO_RGB = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
_DARKEST = 7.0
"""The lightness that white becomes: apps do not go to black."""

_Triple = tuple[float, float, float]


def forced_dark(html: str) -> str:
    """The same HTML with the colours of its styles inverted in lightness; text and addresses stay as they are."""
    return _STYLED.sub(lambda found: _COLOUR.sub(lambda colour: inverted(colour[1]), found[0]), html)


@lru_cache(maxsize=256)
def inverted(code: str) -> str:
    """The colour (`fff` or `ffffff`) of the opposite lightness, as `#rrggbb`."""
    whole = "".join(digit * 2 for digit in code) if len(code) == 3 else code
    red, green, blue = (_linear(int(whole[at : at + 2], 16) / 255) for at in (0, 2, 4))
    lightness, a, b = _lab((red, green, blue))
    lightness = _DARKEST + (100 - lightness) * (100 - _DARKEST) / 100
    for tenths in range(10, -1, -1):  # less colourful where no screen has that colour
        rgb = _rgb((lightness, a * tenths / 10, b * tenths / 10))
        if all(-1e-3 <= part <= 1.001 for part in rgb):
            break
    return "#" + "".join(f"{round(255 * _curved(min(max(part, 0.0), 1.0))):02x}" for part in rgb)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _curved(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _times(matrix: tuple[_Triple, _Triple, _Triple], vector: _Triple) -> _Triple:
    x, y, z = (sum(cell * part for cell, part in zip(row, vector, strict=True)) for row in matrix)
    return x, y, z


def _lab(rgb: _Triple) -> _Triple:
    x, y, z = (_root(part / white) for part, white in zip(_times(_TO_XYZ, rgb), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _rgb(lab: _Triple) -> _Triple:
    lightness, a, b = lab
    y = (lightness + 16) / 116
    x, z = y + a / 500, y - b / 200
    return _times(_TO_RGB, (_cube(x) * _WHITE[0], _cube(y) * _WHITE[1], _cube(z) * _WHITE[2]))


def _root(part: float) -> float:
    return float(part ** (1 / 3)) if part > 0.008856 else 7.787 * part + 16 / 116


def _cube(part: float) -> float:
    return part**3 if part**3 > 0.008856 else (part - 16 / 116) / 7.787
