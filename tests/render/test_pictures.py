"""Pictures of a mail: whole, at the width asked for, light and dark, and nothing is fetched for them.

With NEWSLETTER_GALLERY=1 (`make gallery`) those of the samples are kept in docs/gallery/.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import time
import zlib
from pathlib import Path

import pytest

from newsletter.errors import ConfigurationError
from newsletter.model import Edition
from newsletter.render import Templates, fill_html, picture, pictures, render_edition
from newsletter.render.problems import read_sample
from newsletter.render.template_files import Shelf, shipped_folders

GALLERY = Path(__file__).parent.parent.parent / "docs" / "gallery"
PAGE, DARK_PAGE = (0xF2, 0xF3, 0xF5), (0x0F, 0x11, 0x14)
SHOWN = [
    ("daily", "en", 640, False), ("daily", "en", 640, True), ("daily", "en", 375, False), ("daily", "en", 375, True),
    ("daily", "ar", 375, False), ("briefing", "en", 640, False), ("briefing", "en", 375, True),
    ("breaking", "en", 640, False), ("breaking", "en", 375, True),
]  # fmt: skip


def size_and_corner(png: bytes) -> tuple[int, int, tuple[int, int, int]]:
    """Width, height and the first pixel of a PNG of 8 bits a colour (PNG 1.2, section 4.1.1)."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    first = zlib.decompressobj().decompress(data, 8)
    assert kind in (2, 6)
    return width, height, (first[1], first[2], first[3])


def sample(template: str, language: str) -> str:
    found = Shelf(shipped_folders()).find(f"{template}/sample.json") or Shelf(shipped_folders()).find(
        "daily/sample.json"
    )
    assert found is not None
    snapshot = read_sample(found.read_text(encoding="utf-8"), template)
    edition = Edition(snapshot.countries, language)
    rendered = render_edition(Templates().compile(template), snapshot, edition, "https://news.example")
    neutral = dict.fromkeys(("unsubscribe", "preferences", "view", "report"), "https://news.example/x") | {"name": ""}
    return fill_html(rendered.html, neutral)


@pytest.mark.parametrize(("template", "language", "width", "dark"), SHOWN)
def test_a_picture_is_the_whole_mail(chromium: str, template: str, language: str, width: int, dark: bool) -> None:
    png = picture(sample(template, language), width=width, dark=dark)
    shown_width, height, corner = size_and_corner(png)
    assert shown_width == width
    assert 700 < height < 6000
    assert corner == (DARK_PAGE if dark else PAGE)
    if os.environ.get("NEWSLETTER_GALLERY"):
        GALLERY.mkdir(exist_ok=True)
        name = "-".join((template, *([language] if language != "en" else []), str(width), "dark" if dark else "light"))
        (GALLERY / f"{name}.png").write_bytes(png)


def test_nothing_is_fetched_for_a_picture(chromium: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        image = f'<img src="{address}/a.png" width="120" height="32">'
        page = f'<body>{image}<link rel="stylesheet" href="{address}/b.css"><p>One</p></body>'
        picture(page, width=400)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigurationError, match="apt-get install chromium"):
        picture("<p>One</p>", width=400)


def test_a_browser_that_hangs_ends_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, child = tmp_path / "chromium", tmp_path / "child"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {child}\nexec sleep 600\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    monkeypatch.setattr(pictures, "_SECONDS", 1)
    with pytest.raises(ConfigurationError, match="within 1 s"):
        picture("<p>One</p>", width=400)
    status, until = Path(f"/proc/{child.read_text().strip()}/status"), time.monotonic() + 5
    while status.exists() and "State:\tZ" not in status.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    assert not status.exists() or "State:\tZ" in status.read_text()
