"""Charts: a table for everybody, lines where scripts run; under the screens' policy, in both lights, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from newsletter.model import DeliveryState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import course
from newsletter.newsroom.readership.growth import growth
from newsletter.storage import Role
from newsletter.storage.keys import issue_pk
from newsletter.storage.tables import outcome_tally
from newsletter.web.charts import course_chart, days_before

from .browsing import faults, served
from .conftest import ISSUE, NEWSLETTER, Visitor

BEGAN = datetime(2026, 5, 26, 21, 10, tzinfo=UTC)
PLACES = (f"/issues/{ISSUE}#checks", "/subscribers", "/sources")


def count(room: Newsroom, *came: tuple[int, DeliveryState, int]) -> None:
    """Outcomes so many minutes after the first of the issue."""
    with room.database.write() as connection:
        pk = issue_pk(connection, ISSUE)
        rows = [
            {"issue_id": pk, "minute": BEGAN + timedelta(minutes=at), "state": state, "provider": "Google", "number": n}
            for at, state, n in came
        ]
        connection.execute(sa.insert(outcome_tally), rows)


def cells(page: str, title: str) -> list[list[str]]:
    """The rows of the table behind the chart of that title."""
    table = page.split(f'<caption class="hidden">{title}')[1].split("</table>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [re.findall(r">([^<>]+)</t[hd]>", row) for row in rows]


def test_a_send_stands_in_its_table(sent: Newsroom) -> None:
    count(sent, (1, DeliveryState.SUBMITTED, 4000), (1, DeliveryState.REJECTED, 3), (4, DeliveryState.DEFERRED, 20))
    page = Visitor(sent).enter(Role.VIEWER).http.get(f"/issues/{ISSUE}").text
    assert cells(page, "What came of it, each minute") == [
        ["05:10", "22", "0", "0", "22"],
        ["05:11", "4,000", "0", "3", "4,022"],
        ["05:14", "0", "20", "0", "4,022"],
    ]


def test_a_long_send_is_told_in_longer_steps(sent: Newsroom) -> None:
    count(sent, (121, DeliveryState.SUBMITTED, 5), (123, DeliveryState.SUBMITTED, 5))
    chart = course_chart(course.course(sent, ISSUE), ZoneInfo("Asia/Singapore"))
    assert chart is not None
    assert chart.title == "What came of it, each 5 minutes"
    assert list(chart.series[0].figures) == [22, 10]


def test_nearly_all(sent: Newsroom) -> None:
    issue = sent.issues.get(ISSUE)
    assert course.nearly_all(sent, issue) == course.NearlyAll(True, timedelta(minutes=1))
    with sent.database.write() as connection:
        connection.execute(sa.delete(outcome_tally))
    assert course.nearly_all(sent, issue) == course.NearlyAll(measured=False)
    assert course_chart(course.course(sent, ISSUE), ZoneInfo("UTC")) is None


def test_growth_is_what_histories_say(sent: Newsroom) -> None:
    sent.subscribers.unsubscribe("mei.tan@example.com", NEWSLETTER, sent.clock.now())
    days = days_before(sent.clock.now().date(), 60)
    grown = growth(sent, days, NEWSLETTER)
    assert len(grown) == 60
    assert sum(each.net for each in grown) == sum(each.confirmed for each in grown) - 1
    assert grown[-1].ended == 1
    page = Visitor(sent).enter(Role.ADMIN).http.get(f"/subscribers?newsletter={NEWSLETTER}").text
    assert cells(page, "Subscriptions confirmed and ended, each day")[-1][2] == "1"


def test_stories_by_country_add_up(sent: Newsroom) -> None:
    page = Visitor(sent).enter(Role.VIEWER).http.get("/sources").text
    rows = cells(page, "Stories by country, each day")
    assert len(rows) == 14
    assert sum(int(each) for row in rows for each in row[1:]) == sent.stories.count_by_source()["desk"]


@pytest.fixture
def address(sent: Newsroom) -> Iterator[str]:
    count(sent, *((minute, DeliveryState.SUBMITTED, 100 * minute) for minute in range(1, 9)))
    sent.accounts.add("admin@desk.example", Role.ADMIN, sent.clock.now())
    with served(sent) as where:
        yield where


@pytest.fixture
def enter(sent: Newsroom, address: str, browser: Any) -> Iterator[Callable[..., Any]]:
    contexts = []

    def open_page(width: int = 1440, scheme: str = "light", **more: Any) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more))
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        admin = sent.accounts.find("admin@desk.example")
        page.goto(f"{address}/login/link/{sent.accounts.make_login_link(admin, sent.clock.now())}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_lines_are_drawn_and_offend_no_policy(address: str, enter: Callable[..., Any], width: int, scheme: str) -> None:
    page = enter(width, scheme, reduced_motion="reduce")
    for place in PLACES:
        page.goto(address + place)
        page.locator(".drawn canvas").first.wait_for()
        assert page.get_by_role("img", name=re.compile("a chart of the figures in the table below")).count() == 1
        assert page.locator(".drawn").evaluate("({ scrollWidth, clientWidth }) => scrollWidth - clientWidth") == 0
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.set_viewport_size({"width": 800, "height": 900})
    page.locator(".drawn canvas").first.wait_for()
    assert page.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark"), (1440, "dark"), (375, "light")])
def test_every_chart_is_clean(address: str, enter: Callable[..., Any], width: int, scheme: str) -> None:
    page = enter(width, scheme, bypass_csp=True)
    found = {}
    for place in PLACES:
        page.goto(address + place)
        page.locator(".drawn canvas").first.wait_for()
        page.locator(".chart summary").first.click()
        if seen := faults(page, frames=False):
            found[place] = seen
    assert found == {}


def test_without_a_script_the_table_is_there(address: str, enter: Callable[..., Any]) -> None:
    page = enter(java_script_enabled=False)
    page.goto(f"{address}/subscribers")
    assert page.locator(".drawn").count() == 0
    page.get_by_text("In figures").click()
    assert page.get_by_role("table", name="Subscriptions confirmed and ended, each day").is_visible()
