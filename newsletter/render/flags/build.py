"""Draws the flags: the 4x3 SVGs of npm `flag-icons` (MIT) as PNG files of 40 × 30 pixels.

Mail clients show no SVG (Gmail drops it), and Windows shows flag emoji as letters. Run it after unpacking the
package somewhere: `python newsletter/render/flags/build.py NODE_MODULES/flag-icons [CHROMIUM]`. Needs the
development dependencies and Debian's Chromium; the files it writes are committed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
WIDTH, HEIGHT = 40, 30
PAGE = "<style>*{{margin:0}} svg{{display:block;width:{}px;height:{}px}}</style>{}"


def draw(package: Path, chromium: str) -> int:
    """Write one PNG a country code beside this file, and the licence; returns how many."""
    pictures = [svg for svg in sorted((package / "flags/4x3").glob("*.svg")) if re.fullmatch("[a-z]{2}", svg.stem)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for svg in pictures:
            page.set_content(PAGE.format(WIDTH, HEIGHT, svg.read_text(encoding="utf-8")))
            page.screenshot(path=HERE / f"{svg.stem}.png")
        browser.close()
    (HERE / "LICENSE").write_text((package / "LICENSE").read_text(encoding="utf-8"), encoding="utf-8")
    return len(pictures)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} PATH/TO/flag-icons [CHROMIUM]")
    count = draw(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else "/usr/bin/chromium")
    sys.stderr.write(f"{count} flags drawn\n")
