"""What screens have of npm packages: made from web-assets/ as it lies there, pinned, with its licences."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from newsletter.web.pages import STATIC

ASSETS = Path(__file__).parents[2] / "web-assets"
SOURCES = sorted([*ASSETS.glob("*.js"), ASSETS / "package-lock.json"])
BUILT = {
    "charts.css": "The MIT License",
    "charts.js": "The MIT License",
    "editor.js": "MIT License",
    "htmx.js": "Zero-Clause BSD",
    "sortable.js": "MIT License",
}


@pytest.mark.parametrize("name", BUILT)
def test_a_built_file_is_what_its_sources_make_and_carries_its_licence(name: str) -> None:
    made = sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()
    head = (STATIC / name).read_text(encoding="utf-8").partition("*/")[0]
    assert made in head, f"`make assets` brings newsletter/web/static/{name} up to date"
    assert BUILT[name] in head
    assert re.search(r"permission notice|AS\s+IS", head), "the licence is there to its end"


def test_the_builder_knows_every_source() -> None:
    named = re.search(r"MADE_FROM = \[(.*?)\]", (ASSETS / "build.js").read_text(encoding="utf-8"), re.DOTALL)
    assert named is not None
    assert re.findall(r'"([^"]+)"', named[1]) == [source.name for source in SOURCES]


def test_every_package_is_pinned_and_its_version_stands_in_its_file() -> None:
    wanted = json.loads((ASSETS / "package.json").read_text(encoding="utf-8"))
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
    for file, package in (("charts.js", "uplot"), ("htmx.js", "htmx.org"), ("sortable.js", "sortablejs")):
        head = (STATIC / file).read_text(encoding="utf-8").partition("\n")[0]
        assert head.endswith(f" {wanted['dependencies'][package]}:")


def test_the_lock_carries_no_address() -> None:
    assert '"resolved"' not in (ASSETS / "package-lock.json").read_text(encoding="utf-8")
