"""`make pictures`: the pictures of the documentation, taken of a sample desk by a real browser."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from newsletter.clock import Clock
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.web.serve import WebServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from newsletter.model import IssueId

HERE = Path(__file__).parent
NEWSLETTER = "asia-ai-daily"
MORNING = "2026-05-27T05:18:00+08:00"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """Make every picture anew."""
    work = Path(tempfile.mkdtemp(prefix="pictures-"))
    try:
        desks.make_sample_desk(work)
        with Newsroom.open(work, environ={}) as room:
            room.clock = Clock.parse(MORNING)
            server = WebServer(room, "127.0.0.1", 0)
            address = f"http://127.0.0.1:{server.port}"
            room.settings = replace(room.settings, base_url=address)
            thread = threading.Thread(target=server.run)
            thread.start()
            try:
                issue = _issue(room)
                _draft_screens(room, issue, address)
                # Between the browsers: Playwright's own event loop would be in the sender's way.
                issues.approve(room, issue, "editor@example.com")
                sending.send(room, issue)
                _mails(issue, address)
            finally:
                server.stop()
                thread.join()
    finally:
        shutil.rmtree(work)


def _issue(room: Newsroom) -> IssueId:
    desks.fill_with_samples(room)
    list(gathering.gather_all(room, list(room.plan.sources.values())))
    return issues.build(room, NEWSLETTER).id


def _draft_screens(room: Newsroom, issue: IssueId, address: str) -> None:
    admin = room.accounts.find("editor@example.com")
    assert admin is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        cookies = _log_in(browser, f"{address}/login/link/{room.accounts.make_login_link(admin, room.clock.now())}")
        screen = f"{address}/issues/{issue}"
        _shoot(browser, screen, "issue-screen.png", 1440, 900, "light", cookies)
        _shoot(browser, screen, "issue-screen-phone-dark.png", 375, 812, "dark", cookies)
        _shoot(browser, f"{address}/schedules", "schedules.png", 1440, 700, "light", cookies)
        browser.close()


def _mails(issue: IssueId, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        mail = f"{address}/archive/{NEWSLETTER}/{issue.date}"
        _shoot(browser, mail, "mail-light.png", 768, 1400, "light")
        _shoot(browser, mail, "mail-dark-phone.png", 375, 1400, "dark")
        _shoot_pair(browser)
        browser.close()


def _log_in(browser: Browser, link: str) -> list[dict[str, object]]:
    context = browser.new_context()
    context.new_page().goto(link)
    return context.cookies()


def _shoot(
    browser: Browser,
    address: str,
    name: str,
    width: int,
    height: int,
    scheme: str,
    cookies: list[dict[str, object]] | None = None,
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    if cookies:
        context.add_cookies(cookies)
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    page.screenshot(path=HERE / name)
    context.close()
    sys.stdout.write(f"{name}\n")


def _shoot_pair(browser: Browser) -> None:
    """The mail on a desk and on a phone at night, side by side, for the README."""
    page = browser.new_page(viewport={"width": 1240, "height": 1400})
    page.goto((HERE / "pair.html").as_uri())
    page.screenshot(path=HERE / "mail.png")
    sys.stdout.write("mail.png\n")


main()
