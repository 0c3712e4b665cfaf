"""The room from outside: light to enter, flags in the box."""

from __future__ import annotations

import struct
import subprocess
import sys

from babel import Locale

import newsletter.render
from newsletter.countries import is_country
from newsletter.render import FLAGS

# CLDR also names islands, unions and test codes that ISO 3166-1 reserves or leaves out.
NO_STATE = {"ac", "cq", "ea", "ez", "qo", "ta", "un", "xa", "xb"}


def test_entering_the_room_loads_no_compiler():
    code = (
        "import sys, newsletter.render as room; room.FLAGS;"
        " print([name for name in ('jinja2', 'mjml', 'premailer', 'lxml', 'babel') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_door_opens():
    assert all(getattr(newsletter.render, name) is not None for name in newsletter.render.__all__)


def test_flags_are_small_pictures_of_one_size_with_their_licence():
    pictures = sorted(FLAGS.glob("*.png"))
    assert len(pictures) >= 249
    assert {code.lower() for code in Locale.parse("en").territories if is_country(code)} - {
        picture.stem for picture in pictures
    } <= NO_STATE
    for picture in pictures:
        data = picture.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", data[16:24]) == (40, 30)
    assert sum(picture.stat().st_size for picture in pictures) < 1_000_000
    assert "MIT" in (FLAGS / "LICENSE").read_text()


def test_a_region_has_no_flag(render, snapshot, story, read):
    page = read(render(snapshot(story(country=None))).html)
    assert "Asia · AI News" in page.words
    assert page.images == []
