"""The desk on a telephone, by finger: every screen within reach, and what is pressed in a hurry large enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.storage import Role

from .browsing import served
from .conftest import ISSUE, NEWSLETTER

STORY = "desk%3Alanternpost-84213"
ORDERS = {
    "/": (".board td.act button",),
    f"/issues/{ISSUE}": (".approve .ink", ".drop summary", ".words summary", ".choice a", ".tabs a"),
    f"/issues/{ISSUE}#stories": ("[data-story] button:not(.panel button)", ".more summary", ".late button"),
    f"/issues/{ISSUE}#checks": (".drop summary",),
    f"/issues/{ISSUE}/story?id=STORY": ("main .stack button",),
    "/stories": (".search button", ".search input", ".choice a"),
    f"/schedules/{NEWSLETTER}": (".order button", ".order input:not([type=hidden])"),
    f"/schedules/{NEWSLETTER}/skip?day=2026-05-29": ("main button", "main .button"),
    "/subscribers": (".search button",),
}
"""What is pressed on each screen."""


@pytest.fixture
def page(review: Newsroom, browser: Any) -> Iterator[Any]:
    admin = review.accounts.add("chief@desk.example", Role.ADMIN, review.clock.now())
    session = review.accounts.open_session(admin, review.clock.now())
    context = browser.new_context(viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True)
    with served(review) as address:
        context.add_cookies([{"name": "newsletter-session", "value": session, "url": address}])
        opened = context.new_page()
        opened.goto(address)
        yield opened
        context.close()


def test_orders_are_large_enough_for_a_finger(page: Any) -> None:
    """44 CSS pixels each way, as WCAG 2.2's 2.5.5 has it."""
    home, small = page.url.rstrip("/"), []
    for path, selectors in ORDERS.items():
        page.goto(home + path.replace("STORY", STORY))
        for selector in selectors:
            targets = [each for each in page.locator(selector).all() if each.is_visible()]
            assert targets, (path, selector)
            boxes = [(each.bounding_box(), each.inner_text()) for each in targets]
            small += [(path, selector, text) for box, text in boxes if box["height"] < 44 or box["width"] < 30]
    assert small == []


def test_every_screen_is_within_reach_of_the_bar(page: Any) -> None:
    home = page.url.rstrip("/")
    entries = page.locator(".screens a")
    addresses = [each.get_attribute("href") for each in entries.all()]
    assert len(addresses) >= 10
    for number, path in enumerate(addresses):
        entries.nth(number).scroll_into_view_if_needed()
        box = entries.nth(number).bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_url(home + path)
        # Where one is stands in sight, whole.
        box = page.locator(".screens a[aria-current]").bounding_box()
        assert box["x"] >= 0, path
        assert box["x"] + box["width"] <= 375, path
        assert box["height"] >= 44, path
