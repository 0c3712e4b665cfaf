"""An approver's way in a real browser, without JavaScript; axe looks at the page and at the mails that lead there."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from newsletter.newsroom.issue import editing, issues

from ..deliver.recording_server import RecordingServer
from ..schedule.office import ISSUE, Office, listening
from .browsing import faults, served

CHIEF = "chief@desk.example"


def at(office: Office, wall: str) -> None:
    """As the desk's clock does, in a thread of its own: the browser's driver holds this one's event loop."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(office.at, wall).result(60)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with listening() as bell, RecordingServer() as server:
        opened = Office(tmp_path / "desk", server, bell)
        opened.readers("r@example.com")
        opened.story(1, title="Labs in Beijing and Shenzhen keep more of their researchers at home")
        opened.story(2, title="東京地裁、AI学習データの利用をめぐり初の判断", country="JP", language="ja")
        at(opened, "2026-05-27 05:30")
        yield opened
        opened.room.close()


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    with served(office.room) as where:
        yield where


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_the_page_is_clean_however_the_link_stands(
    office: Office, address: str, browser: Any, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    page, link = context.new_page(), f"{address}{office.link()}"
    page.goto(link)
    assert page.frames[1].locator("h2").count() >= 2, "the mail stands in its frame"
    assert faults(page) == []
    editing.edit(office.room, ISSUE, subject="Another one", who="ed@desk.example")
    page.goto(link)
    assert "The draft has changed" in page.inner_text("h1")
    assert faults(page) == []
    issues.approve(office.room, ISSUE, "ed@desk.example")
    page.goto(link)
    assert page.inner_text("h1") == "Approved"
    assert faults(page) == []
    context.close()


def test_the_button_works_without_javascript(office: Office, address: str, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("referer", "")))
    page.goto(f"{address}{office.link()}")
    page.click("text=Approve this draft")
    assert "You have approved this issue" in page.inner_text("main")
    assert office.issue.approved_by == CHIEF
    page.click("text=its page")
    assert not any("/approve/" in referrer for referrer in asked), "no address carries the link further"
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(640, "light"), (375, "dark")])
def test_the_mails_are_clean(office: Office, browser: Any, width: int, scheme: str) -> None:
    at(office, "2026-05-27 06:45")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for mail in office.mails(CHIEF):
        html = mail.get_body(("html",))
        assert html is not None
        page.set_content(html.get_content())
        assert faults(page) == []
    context.close()
