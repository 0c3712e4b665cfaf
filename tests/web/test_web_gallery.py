"""The main screens as pictures, on a desk and on a phone, light and dark: nothing empty, nothing broken on any of them.

With NEWSLETTER_GALLERY=1 (`make gallery`) they are kept in docs/gallery/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import editing
from newsletter.storage import Role

from .browsing import served
from .conftest import ISSUE

GALLERY = Path(__file__).parent.parent.parent / "docs" / "gallery"
SIZES = [(1440, 900, "light"), (1440, 900, "dark"), (375, 812, "light"), (375, 812, "dark")]
SCREENS = {
    "today": "/",
    "issue": f"/issues/{ISSUE}",
    "story": f"/issues/{ISSUE}/story?id=STORY",
    "versions": f"/issues/{ISSUE}/revisions",
    "schedules": "/schedules",
    "schedule-file": "/schedules/file",
    "sources": "/sources",
    "subscribers": "/subscribers",
}


@pytest.fixture
def desk(review: Newsroom) -> Newsroom:
    """A desk at work: the order changed, a headline written anew."""
    first, *_ = review.issues.get(ISSUE).snapshot.placed  # type: ignore[union-attr]
    editing.move(review, ISSUE, first.story.id, who="mei@desk.example")
    editing.edit(review, ISSUE, subject="Memory moves next door", who="mei@desk.example")
    return review


@pytest.fixture
def address(desk: Newsroom) -> Iterator[str]:
    with served(desk) as where:
        yield where


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
def test_the_main_screens(
    desk: Newsroom, address: str, browser: Any, width: int, height: int, scheme: str, tmp_path: Path
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    chief = desk.accounts.add("chief@desk.example", Role.ADMIN, desk.clock.now())
    page.goto(f"{address}/login/link/{desk.accounts.make_login_link(chief, desk.clock.now())}")
    story = desk.issues.get(ISSUE).snapshot.placed[0].story.id  # type: ignore[union-attr]
    folder = GALLERY if os.environ.get("NEWSLETTER_GALLERY") else tmp_path
    for name, path in SCREENS.items():
        page.goto(address + path.replace("STORY", story))
        page.wait_for_load_state("networkidle")
        picture = folder / f"desk-{name}-{width}-{scheme}.png"
        page.screenshot(path=picture)
        assert picture.stat().st_size > 10_000, name
        assert page.locator("h1").is_visible(), name
    assert complaints == []
    context.close()
