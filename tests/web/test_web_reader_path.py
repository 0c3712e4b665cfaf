"""A reader's path through the links of a mail, in a real browser without JavaScript."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from email.policy import default
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from subscribers.model import Status

from .addresses import READER
from .browsing import served, tab_to
from .conftest import BASE, ISSUE, NEWSLETTER, dump


@pytest.fixture
def address(sent: Newsroom) -> Iterator[str]:
    with served(sent) as where:
        yield where


@pytest.fixture
def links(sent: Newsroom, address: str) -> dict[str, str]:
    """Where the links of one reader's mail lead, by the first part of their path; the very message that lies in the
    outbox."""
    (file,) = sent.outbox.joinpath(str(ISSUE)).glob(f"{READER}-*.eml")
    body = email.message_from_bytes(file.read_bytes(), policy=default).get_body(("html",))
    assert body is not None
    found = re.findall(rf'href="{BASE}(/(view|preferences|unsubscribe)/[^"]+)"', body.get_content())
    return {name: address + path for path, name in found}


def test_from_a_mail_through_every_link(sent: Newsroom, address: str, links: dict[str, str], browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 812}, has_touch=True)
    page, before = context.new_page(), dump(sent)
    for name in ("view", "preferences", "unsubscribe"):
        page.goto(links[name])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, name
    assert dump(sent) == before, "to look changes nothing"
    page.goto(links["view"])
    assert page.get_by_text("Yunhe Memory moves its newest line").first.is_visible()
    assert READER not in page.content()

    plan = sent.plan_file.read_text(encoding="utf-8")
    plan = plan.replace("segment: {frequency: daily}", "segment: {frequency: [daily, weekly]}")
    plan = plan.replace("archive: public", "languages: [en, ar]\n    archive: public")
    sent.plan_file.write_text(plan, encoding="utf-8")
    page.goto(links["preferences"])
    page.get_by_label("once a week").check()
    page.get_by_label("Language").select_option("ar")
    for country in ("China", "Vietnam"):
        page.get_by_label(country).uncheck()
    assert page.get_by_role("button", name="Save").bounding_box()["height"] >= 44
    page.get_by_role("button", name="Save").click()
    page.locator(".finding.passed").wait_for()
    held = sent.subscribers.find(READER).preferences
    assert set(held.countries or ()) == {"JP", "KR", "IN", "SG", "ID"}
    assert (held.frequency, held.language) == ("weekly", "ar")

    page.goto(links["unsubscribe"])
    assert page.locator("html").get_attribute("dir") == "rtl", "it speaks the reader's language now"
    page.goto(links["unsubscribe"] + "?lang=en")
    assert sent.subscribers.find(READER).subscriptions[NEWSLETTER].status is Status.CONFIRMED
    tab_to(page, "Unsubscribe")
    page.keyboard.press("Enter")
    page.get_by_text("You are unsubscribed").wait_for()
    assert sent.subscribers.find(READER).subscriptions[NEWSLETTER].status is Status.UNSUBSCRIBED
    tab_to(page, "Undo")
    page.keyboard.press("Enter")
    page.get_by_text("You are subscribed").wait_for()
    back = sent.subscribers.find(READER).subscriptions[NEWSLETTER]
    assert back.status is Status.CONFIRMED
    assert back.consent_source
    assert context.cookies() == []
    context.close()
