"""An admin's morning in a real browser: in with a code, schedule.yaml broken and mended, a date skipped, a pause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.plan import OverlayKind
from newsletter.storage import Role

from .browsing import served, tab_to
from .conftest import NEWSLETTER
from .test_web_accounts import PASSWORD
from .test_web_totp import Telephone, set_up, telephone

__all__ = ["telephone"]

BOSS = "boss@desk.example"


@pytest.fixture
def address(review: Newsroom) -> Iterator[str]:
    with served(review) as where:
        yield where


def test_an_admins_morning(review: Newsroom, address: str, browser: Any, telephone: Telephone) -> None:
    set_up(review, review.accounts.add(BOSS, Role.ADMIN, review.clock.now(), PASSWORD), telephone)
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text))

    page.goto(f"{address}/login")
    page.wait_for_selector("[name=email]:focus")  # autofocus comes a moment after the page
    page.keyboard.type(BOSS)
    tab_to(page, "")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=code]:focus")
    page.keyboard.type(telephone.code())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/")
    assert (latest := next(iter(review.audit.lines()))).kind == "login"
    assert latest.who == BOSS

    # The file is broken in the editor, and its line says so.
    page.get_by_role("link", name="Schedules").click()
    page.get_by_role("link", name="Edit schedule.yaml").click()
    page.wait_for_selector("#found >> text=Valid.")
    text = review.plan_file.read_text(encoding="utf-8")
    lines = text.splitlines()
    line = next(number for number, each in enumerate(lines) if 'at: "07:00"' in each)
    page.click(".cm-content")
    page.keyboard.press("Control+Home")
    for _ in range(line):
        page.keyboard.press("ArrowDown")
    for _ in range(lines[line].index("07:00") + 5):
        page.keyboard.press("ArrowRight")
    for _ in range(5):
        page.keyboard.press("Backspace")
    page.keyboard.type("25:99")
    page.wait_for_selector(".cm-lint-marker-error")
    assert "25:99" in page.inner_text(".cm-line:has(.cm-lintRange-error)")
    assert f"schedule.yaml, line {line + 1}, column" in page.inner_text("#found")
    assert review.plan_file.read_text(encoding="utf-8") == text

    # It is mended to another hour: the next runs, the difference, then the file itself.
    for _ in range(5):
        page.keyboard.press("Backspace")
    page.keyboard.type("08:15")
    page.wait_for_selector("#found >> text=Valid.")
    assert "08:15" in page.inner_text("#found .runs")
    tab_to(page, "Show the difference")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It is valid, and not written yet.")
    assert '-    at: "07:00"' in page.inner_text(".diff del")
    assert '+    at: "08:15"' in page.inner_text(".diff ins")
    assert review.plan_file.read_text(encoding="utf-8") == text
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It is saved.")
    assert review.plan_file.read_text(encoding="utf-8") == text.replace('at: "07:00"', 'at: "08:15"')

    # A date is skipped on the strip, by keys alone.
    page.goto(f"{address}/schedules")
    tab_to(page, "08:15\n, Fri 29 May")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{NEWSLETTER}/2026-05-29")
    tab_to(page, "Skip …")
    page.keyboard.press("Enter")
    page.get_by_text("1 issue of Asia AI Daily does not appear").wait_for()
    assert review.overlays.list() == []
    tab_to(page, "Skip it")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/schedules/{NEWSLETTER}")
    (skip,) = review.overlays.list()
    assert (skip.kind, skip.first, skip.last, skip.who) == (
        OverlayKind.SKIP,
        date(2026, 5, 29),
        date(2026, 5, 29),
        BOSS,
    )

    # A pause says first what it will do.
    page.locator("form[action$='/pause'] input[name=until]").fill("2026-06-02")
    page.locator("form[action$='/pause'] input[name=why]").fill("a storm")
    page.get_by_role("button", name="Pause …").click()
    page.get_by_text("issues of Asia AI Daily do not appear").wait_for()
    assert len(review.overlays.list()) == 1
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_url(f"**/schedules/{NEWSLETTER}")
    assert page.locator("h1 .state").inner_text() == "paused"
    pause = next(each for each in review.overlays.list() if each.kind is OverlayKind.PAUSE)
    assert (pause.last, pause.who, pause.why) == (date(2026, 6, 2), BOSS, "a storm")
    page.get_by_role("button", name="Resume …").click()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.wait_for_url(f"**/schedules/{NEWSLETTER}")
    assert [each.kind for each in review.overlays.list() if each.ended_at is None] == [OverlayKind.SKIP]
    assert complaints == []
    page.context.close()
