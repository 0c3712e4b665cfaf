"""The screen of the sources: how each is doing, what it brought, and its switch."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import gathering
from newsletter.storage import Role

from .conftest import Visitor
from .test_web_schedules import words

FEED = """\
  globe: {kind: feed, url: 'https://globe.example/rss', outlet: The Globe}
  cms: {kind: push, key: env:PUSH_KEY}
"""


@pytest.fixture
def desk(review: Newsroom) -> Newsroom:
    text = review.plan_file.read_text(encoding="utf-8")
    review.plan_file.write_text(text.replace("sources:\n", "sources:\n" + FEED), encoding="utf-8")
    return review


def test_each_source_with_its_poll_and_its_stories(desk: Newsroom) -> None:
    page = Visitor(desk).enter(Role.VIEWER).http.get("/sources").text
    said = words(page)
    assert "globe feed · The Globe · https://globe.example/rss never" in said
    assert "cms push it pushes" in said
    assert re.search(r"desk folder · inbox \d+ min ago next in \d+ min", said)
    assert "No story needs a country." in said
    total = desk.stories.count_by_source()["desk"]
    (days,) = re.findall(r'<th scope="row">desk</th>((?:<td>[\d,]+</td>){14})', page)
    assert sum(map(int, re.findall(r"\d+", days))) == total, "the table behind the chart has every story"
    assert page.count("<rect") == sum(number != "0" for number in re.findall(r"\d+", days))
    assert "/switch" not in page


def test_errors_and_stories_without_a_country_are_said(desk: Newsroom) -> None:
    now = desk.clock.now()
    state = desk.source_states.get("globe", "https://globe.example/rss")
    failed = replace(
        state, polled_at=now, failures=3, last_error="globe: <b>HTTP 500</b>", asked="https://globe.example/rss"
    )
    desk.source_states.put("globe", failed)
    story = next(iter(desk.stories.list(limit=1)))
    desk.stories.ingest([replace(story, external_id="w", url="https://e.example/w", country=None)], now)
    page = Visitor(desk).enter(Role.VIEWER).http.get("/sources").text
    assert "failed 3 times" in page
    assert "globe: &lt;b&gt;HTTP 500&lt;/b&gt;" in page
    assert '<a href="/stories?undecided=1">1 story needs a country</a>' in page


def test_a_source_is_switched_off_and_on(desk: Newsroom) -> None:
    admin = Visitor(desk).enter(Role.ADMIN)
    assert "is not polled any more" in admin.http.get("/sources/globe/switch?to=off").text
    form = {"token": admin.token, "to": "off", "why": "paid  wall"}
    assert admin.http.post("/sources/globe/switch", data=form).status_code == 303
    assert admin.http.post("/sources/globe/switch", data=form).status_code == 409
    assert "by admin@desk.example: paid wall" in admin.http.get("/sources").text
    (polled,) = gathering.gather_all(desk, [desk.plan.sources["globe"]])
    assert polled.left_alone == "switched off: by admin@desk.example: paid wall"
    assert admin.http.post("/sources/globe/switch", data=form | {"to": "on"}).status_code == 303
    assert desk.source_states.get("globe").switched_off is None


def test_what_cannot_be_switched(desk: Newsroom) -> None:
    admin = Visitor(desk).enter(Role.ADMIN)
    form = {"token": admin.token, "to": "off"}
    assert admin.http.post("/sources/cms/switch", data=form).status_code == 400
    assert admin.http.post("/sources/no-such/switch", data=form).status_code == 404
    with desk.database.hold("gather globe") as held:
        assert held
        assert admin.http.post("/sources/globe/switch", data=form).status_code == 503
    assert "switched_off" not in str(desk.source_states.get("globe").switched_off)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_others_may_only_look(desk: Newsroom, role: Role) -> None:
    visitor = Visitor(desk).enter(role)
    page = visitor.http.get("/sources").text
    assert "/switch" not in page
    assert "/schedules/file" not in page
    assert visitor.http.get("/sources/globe/switch?to=off").status_code == 403
    form = {"token": visitor.token, "to": "off"}
    assert visitor.http.post("/sources/globe/switch", data=form).status_code == 403
    assert desk.source_states.get("globe").switched_off is None
