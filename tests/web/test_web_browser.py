"""The screens in a real browser: nothing overflows, every resource is ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from newsletter.model import story_address
from newsletter.newsroom import Newsroom

from .browsing import served
from .conftest import ISSUE, NEWSLETTER
from .test_web_outbox import PLACE, first


@pytest.fixture
def address(sent: Newsroom) -> Iterator[str]:
    with served(sent) as where:
        yield where


@pytest.fixture
def enter(sent: Newsroom, address: str, browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page that has logged in by a link; what it complains about is gathered in `page.complaints`."""
    contexts = []

    def open_page(width: int, scheme: str) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (page.complaints.append("dialog"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(address) or page.complaints.append(request.url))
        editor = sent.accounts.find("editor@example.com")
        page.goto(f"{address}/login/link/{sent.accounts.make_login_link(editor, sent.clock.now())}")
        assert page.url == f"{address}/"
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_every_screen_fits_and_asks_nobody_else(
    sent: Newsroom, address: str, enter: Callable[..., Any], width: int, scheme: str
) -> None:
    page = enter(width, scheme)
    issue = f"/issues/{ISSUE}"
    paths = ["/", issue, f"{issue}#stories", f"{issue}#checks", f"{issue}?part=raw", f"{issue}/recipients"]
    paths += ["/stories", "/schedules", "/outbox", PLACE, f"{PLACE}/{first(sent)}", "/archive/", "/unsubscribe/"]
    snapshot = sent.issues.get(ISSUE).snapshot
    assert snapshot is not None
    paths.append(story_address("", NEWSLETTER, snapshot.placed[0].story.id))
    for path in paths:
        page.goto(address + path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, (path, wide)
        assert page.evaluate("[...document.images].every(each => each.complete && each.naturalWidth > 0)"), path
        assert page.complaints == [], path
    page.goto(address + issue + "?look=dark")
    mail = page.frames[1]
    assert mail.evaluate("[...document.images].every(each => each.naturalWidth > 0)")
    panel = "getComputedStyle(document.querySelector('.panel, .panel > table')).backgroundColor"
    assert mail.evaluate(panel) == "rgb(24, 27, 32)"
