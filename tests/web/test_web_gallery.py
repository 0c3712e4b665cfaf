"""The main screens as pictures, on a desk and on a phone, light and dark: nothing empty, nothing broken on any of them.

With NEWSLETTER_GALLERY=1 (`make gallery`) they are kept in docs/gallery/.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.readership import reports
from newsletter.storage import Role
from newsletter.storage.keys import issue_pk
from newsletter.storage.tables import outcome_tally

from .addresses import filled
from .browsing import served
from .conftest import ISSUE, NEWSLETTER
from .sends import begin, send_some

GALLERY = Path(__file__).parent.parent.parent / "docs" / "gallery"
SIZES = [(1440, 900, "light"), (1440, 900, "dark"), (375, 812, "light"), (375, 812, "dark")]
WHOLE = "CN+JP+KR+IN+SG+ID+VN.en"
SCREENS = {
    "desk": {
        "today": "/",
        "issue": f"/issues/{ISSUE}",
        "story": f"/issues/{ISSUE}/story?id=STORY",
        "versions": f"/issues/{ISSUE}/revisions",
        "schedules": "/schedules",
        "schedule-file": "/schedules/file",
        "sources": "/sources",
        "subscribers": "/subscribers",
    },
    "sending": {"sending": f"/issues/{ISSUE}#checks"},
    "day_after": {"after": f"/after?day={ISSUE.date}", "reports": "/reports", "sent": f"/issues/{ISSUE}#checks"},
}


@pytest.fixture
def desk(review: Newsroom) -> Newsroom:
    """A desk at work: the order changed, a headline written anew."""
    first, *_ = review.issues.get(ISSUE).snapshot.placed  # type: ignore[union-attr]
    editing.move(review, ISSUE, first.story.id, who="mei@desk.example")
    editing.edit(review, ISSUE, subject="Memory moves next door", who="mei@desk.example")
    return review


@pytest.fixture
def day_after(sent: Newsroom) -> Newsroom:
    """A desk whose readers have the issue: errors were reported, some left."""
    about = reports.reportable(sent, reports.address_of_edition(sent, ISSUE, WHOLE).rpartition("/")[2])
    assert about is not None
    stories = [placed.story for placed in sent.issues.get(ISSUE).snapshot.placed]  # type: ignore[union-attr]
    reports.report(sent, about, stories[0].id, "The firm is in Hangzhou, not in Hefei.")
    reports.report(sent, about, stories[-1].id, "The link of this story leads to another one.")
    for address in ("mei.tan@example.com", "liu.yuhe@example.net"):
        sent.subscribers.unsubscribe(address, NEWSLETTER, sent.clock.now())
    return sent


@pytest.fixture
def sending(review: Newsroom) -> Newsroom:
    """A desk with a send under way, that stands still for the picture."""
    issues.approve(review, ISSUE, "mei@desk.example")
    begin(review, ISSUE)
    send_some(review, ISSUE, 9)
    begin(review, ISSUE)
    with review.database.write() as connection:  # the course of a longer one, for the chart
        issue = issue_pk(connection, ISSUE)
        first = connection.execute(sa.select(sa.func.min(outcome_tally.c.minute))).scalar_one()
        for minute, number in enumerate((2, 3, 3, 1), 1):
            row = {"issue_id": issue, "minute": first - timedelta(minutes=minute), "state": "submitted"}
            connection.execute(sa.insert(outcome_tally).values(row | {"provider": "", "number": number}))
    return review


@pytest.mark.parametrize(("width", "height", "scheme"), SIZES)
@pytest.mark.usefixtures("template_desks")  # made before the browser is there, whose driver holds the event loop
@pytest.mark.parametrize("shown", ["desk", "sending", "day_after"])
def test_the_main_screens(
    request: pytest.FixtureRequest, browser: Any, shown: str, width: int, height: int, scheme: str, tmp_path: Path
) -> None:
    room: Newsroom = request.getfixturevalue(shown)
    folder = GALLERY if os.environ.get("NEWSLETTER_GALLERY") else tmp_path
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    chief = room.accounts.add("chief@desk.example", Role.ADMIN, room.clock.now())
    with served(room) as address:
        page.goto(f"{address}/login/link/{room.accounts.make_login_link(chief, room.clock.now())}")
        story = room.issues.get(ISSUE).snapshot.placed[0].story.id  # type: ignore[union-attr]
        for name, path in SCREENS[shown].items():
            page.goto(address + path.replace("STORY", story))
            page.locator("h1").wait_for()
            if width > 1000:
                page.evaluate("scrollTo(0, 0)")  # the part that the address names is in sight as it is
            if shown == "desk":  # a send is followed: its line is never idle
                page.wait_for_load_state("networkidle")
            picture = folder / f"desk-{name}-{width}-{scheme}.png"
            page.screenshot(path=picture)
            assert picture.stat().st_size > 10_000, name
        context.close()
    assert complaints == []


@pytest.mark.parametrize(("width", "height", "scheme"), [SIZES[0], SIZES[3]])
@pytest.mark.usefixtures("template_desks")
def test_the_pages_of_readers(
    sent: Newsroom, browser: Any, width: int, height: int, scheme: str, tmp_path: Path
) -> None:
    folder = GALLERY if os.environ.get("NEWSLETTER_GALLERY") else tmp_path
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    filled_in = ("confirm", "preferences", "unsubscribe", "own_data", "archive_story")
    paths = {"subscribe": "/subscribe"} | {name: filled(sent, name) for name in filled_in}
    with served(sent) as address:
        for name, path in paths.items():
            answer = page.goto(address + path)
            assert answer.ok, (name, path)
            picture = folder / f"reader-{name.replace('_', '-')}-{width}-{scheme}.png"
            page.screenshot(path=picture)
            assert picture.stat().st_size > 5_000, name
        context.close()
