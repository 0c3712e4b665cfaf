"""The schedule's screens in a real browser: with and without JavaScript, by keyboard, on a phone, under axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import pytest

from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.planning import scheduling
from newsletter.storage import Role

from .browsing import faults, served
from .conftest import NEWSLETTER

PLACE = f"/schedules/{NEWSLETTER}"
FILE = "/schedules/file"


@pytest.fixture
def desk(review: Newsroom) -> Newsroom:
    """A desk with something of everything: sent, missed, skipped, moved and extra issues, a feed that fails."""
    now = review.clock.now()
    for day, state in ((24, IssueState.SUBMITTED), (25, IssueState.MISSED)):
        issue_id = IssueId(NEWSLETTER, date(2026, 5, day))
        review.issues.plan(issue_id, now, now, "clock")
        review.issues.move(issue_id, (IssueState.PLANNED,), state, now=now, who="clock", why="the desk was down")
    scheduling.skip(review, NEWSLETTER, date(2026, 5, 29), who="anna@desk.example", why="typhoon")
    scheduling.move(review, NEWSLETTER, date(2026, 5, 30), time(9, 30), who="anna@desk.example")
    scheduling.add_issue(review, NEWSLETTER, date(2026, 6, 2), time(18), who="anna@desk.example", why="election")
    review.accounts.add("admin@desk.example", Role.ADMIN, now)
    return review


@pytest.fixture
def address(desk: Newsroom) -> Iterator[str]:
    with served(desk) as where:
        yield where


@pytest.fixture
def enter(desk: Newsroom, address: str, browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page on which an admin has logged in; what it complains about is gathered in `page.complaints`."""
    contexts = []

    def open_page(width: int = 1440, scheme: str = "light", **options: Any) -> Any:
        size = {"width": width, "height": 800}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme, **options))
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(address) or page.complaints.append(request.url))
        admin = desk.accounts.find("admin@desk.example")
        page.goto(f"{address}/login/link/{desk.accounts.make_login_link(admin, desk.clock.now())}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_what_opens_and_what_is_typed_is_clean_too(
    address: str, enter: Callable[..., Any], width: int, scheme: str
) -> None:
    page = enter(width, scheme, bypass_csp=True)
    page.goto(f"{address}/sources/desk/switch?to=off")
    page.click("text=Switch it off")
    page.click("text=Stories a day, in figures")
    assert faults(page) == []
    page.goto(address + FILE)
    page.wait_for_selector("#found >> text=Valid.")
    page.click(".cm-content")
    page.keyboard.type("x: 1\n")
    page.wait_for_selector(".cm-lint-marker-error")
    assert faults(page) == []


def test_the_editor_keeps_to_the_policy_and_marks_faults_while_one_types(
    desk: Newsroom, address: str, enter: Callable[..., Any]
) -> None:
    page = enter()
    page.goto(address + FILE)
    page.wait_for_selector("#found >> text=The next ten runs, as they would be")
    page.click(".cm-content")
    page.keyboard.press("Control+Home")
    page.keyboard.type("colour: red\n")
    page.wait_for_selector(".cm-lint-marker-error")
    assert "schedule.yaml, line 1, column 1" in page.inner_text("#found")
    assert page.evaluate("document.querySelectorAll('style, [style]').length") == 0
    for key in ("Control+Home", "Shift+ArrowDown", "Delete"):
        page.keyboard.press(key)
    page.keyboard.type("# Anna's   comment\n")
    page.wait_for_selector("#found >> text=Valid.")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Show the difference", "Tab leaves the editor"
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It is valid, and not written yet.")
    assert "+# Anna's   comment" in page.inner_text(".diff")
    page.click("text=Back to the text")
    page.wait_for_selector(".cm-line >> text=Anna's")
    page.click("text=Show the difference")
    page.focus("text=Save")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It is saved.")
    assert desk.plan_file.read_text(encoding="utf-8").startswith("# Anna's   comment\n#")
    assert page.complaints == []


def test_the_editor_completes_keys_and_values(address: str, enter: Callable[..., Any]) -> None:
    page = enter()
    page.goto(address + FILE)
    page.wait_for_selector("#found >> text=Valid.")
    page.click(".cm-content")
    page.keyboard.press("Control+End")
    page.keyboard.type("\n    archi")
    page.wait_for_selector(".cm-tooltip-autocomplete >> text=archive")
    page.keyboard.press("Enter")
    page.keyboard.type("pub")
    page.wait_for_selector(".cm-tooltip-autocomplete >> text=public")
    assert page.complaints == []


def test_times_are_shown_by_the_readers_clock_too(address: str, enter: Callable[..., Any]) -> None:
    page = enter(timezone_id="America/New_York")
    page.goto(f"{address}/schedules")
    page.wait_for_selector("th >> text=Your time")
    assert page.inner_text("td.yours") == "Tue 26 May, 19:00"
    assert page.complaints == []


@pytest.mark.parametrize("width", [1440, 375])
def test_everything_works_without_javascript(
    desk: Newsroom, address: str, enter: Callable[..., Any], width: int
) -> None:
    page = enter(width, java_script_enabled=False)
    page.goto(address + FILE)
    text = page.input_value("textarea")
    assert text == desk.plan_file.read_text(encoding="utf-8")
    page.fill("textarea", text.replace("Asia/Singapore", "Asia/Singapor"))
    page.click("button:text-is('Check')")
    assert "did you mean 'Asia/Singapore'?" in page.inner_text("#found")
    page.fill("textarea", text.replace('at: "07:00"', 'at: "08:15"'))
    page.click("text=Show the difference")
    page.click("main button >> text=Save")
    assert 'at: "08:15"' in desk.plan_file.read_text(encoding="utf-8")
    page.goto(f"{address}{PLACE}/2026-05-28")
    page.fill("form:has(button:text('Skip')) input[name=why]", "no power")
    page.click("text=Skip …")
    assert "1 issue of Asia AI Daily does not appear" in page.inner_text("main")
    page.click("main button >> text=Skip it")
    assert "no power" in page.inner_text("main")
    assert desk.overlays.list()[0].why == "no power"


def test_a_dot_leads_to_its_slot_and_a_decision_back_by_keyboard(
    desk: Newsroom, address: str, enter: Callable[..., Any]
) -> None:
    page = enter()
    page.goto(f"{address}/schedules")
    page.focus(".dot[href$='2026-05-29']")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Decided by anna@desk.example: typhoon.")
    page.focus("text=Take back …")
    page.keyboard.press("Enter")
    page.wait_for_selector("main button.ink")
    page.focus("main button.ink")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PLACE}")
    assert "typhoon" not in page.inner_text("main")
    assert page.complaints == []
