"""Every page of the router in a real browser: axe finds nothing, light and dark, and it fits a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import editing, issues
from newsletter.newsroom.planning import scheduling
from newsletter.storage import Role
from newsletter.web.policy import ACCESS, Bearer

from .addresses import everywhere, filled
from .browsing import faults, served
from .conftest import FLAGS, NEWSLETTER, Visitor

SECOND = IssueId("tomorrow-in-asia", date(2026, 5, 27))
LONG = "somebody.with.a.very.long.name@a.subdomain.of.the.desk.example"


@pytest.fixture(scope="module")
def desk(template_desks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """A desk with something of everything: an issue that was sent and one in review, decisions, people, programs."""
    folder = tmp_path_factory.mktemp("everything") / "desk"
    shutil.copytree(template_desks["sent"], folder)
    plan = folder / "schedule.yaml"
    head, body = plan.read_text(encoding="utf-8").split(f"  {NEWSLETTER}:\n")
    other = body.replace("title: Asia AI Daily", "title: Tomorrow in Asia").replace(
        "archive: public", "archive: public\n    approvers: [chief@example.com]"
    )
    plan.write_text(f"{head}  {NEWSLETTER}:\n{body}  {SECOND.newsletter}:\n{other}", encoding="utf-8")
    with Newsroom.open(folder, FLAGS, environ={}) as room:
        now = room.clock.now()
        issues.build(room, SECOND.newsletter)
        editing.edit(room, SECOND, subject="Memory moves next door", who="anna@desk.example")
        for day, state in ((24, IssueState.CANCELLED), (25, IssueState.MISSED)):
            issue_id = IssueId(NEWSLETTER, date(2026, 5, day))
            room.issues.plan(issue_id, now, now, "clock")
            room.issues.move(issue_id, (IssueState.PLANNED,), state, now=now, who="clock", why="the desk was down")
        scheduling.skip(room, NEWSLETTER, date(2026, 5, 29), who="anna@desk.example", why="typhoon")
        scheduling.move(room, NEWSLETTER, date(2026, 5, 30), time(9, 30), who="anna@desk.example")
        scheduling.add_issue(room, NEWSLETTER, date(2026, 6, 2), time(18), who="anna@desk.example", why="election")
        room.accounts.add(LONG, Role.EDITOR, now, "correct horse battery")
        room.api_tokens.make("Board in the corridor", Role.VIEWER, LONG, now)
        room.accounts.add("chief@desk.example", Role.ADMIN, now)
        yield room


@pytest.fixture(scope="module")
def address(desk: Newsroom) -> Iterator[str]:
    with served(desk) as where:
        yield where


@pytest.fixture(scope="module")
def pages(desk: Newsroom) -> list[str]:
    """Every address of the router that answers with a page, and those whose look depends on more than the address."""
    admin = Visitor(desk).enter(Role.ADMIN)
    found = []
    for name, (_, methods) in everywhere().items():
        if "GET" not in methods or isinstance(ACCESS[name], Bearer) or name in ("issue_live", "login_link", "follow"):
            continue  # for programs; events without an end; a link that logs this very browser in, one that leads away
        issue_id = SECOND if name.startswith(("issue_story", "approval")) else IssueId(NEWSLETTER, date(2026, 5, 27))
        path = filled(desk, name, issue_id)
        answer = (Visitor(desk) if name == "login" else admin).http.get(path)
        assert answer.status_code == 200, (name, path)
        if answer.headers["content-type"].startswith("text/html"):
            found.append(path)
    assert len(found) > 40
    here = f"/issues/{SECOND}"
    snapshot = desk.issues.get(SECOND).snapshot
    assert snapshot is not None
    sent = f"/issues/{NEWSLETTER}/2026-05-27"
    found += [here, f"{here}#stories", f"{here}#checks", f"{here}?part=text", f"{here}/revisions"]
    found += [f"{sent}/correct?id={quote(snapshot.placed[0].story.id)}", f"{sent}#checks", "/nowhere"]
    found += [f"/schedules/{NEWSLETTER}/2026-05-{day}" for day in (25, 29, 30)]
    found += ["/stories?undecided=1", "/stories?words=nothing+of+this", "/login/link/none", "/unsubscribe/none"]
    return found


@pytest.mark.parametrize("part", range(3))
def test_axe_finds_nothing_on_any_page(desk: Newsroom, address: str, browser: Any, pages: list[str], part: int) -> None:
    """All its rules on a desk's screen; those of colour in the dark too, those of layout on a phone."""
    page = browser.new_context(viewport={"width": 1440, "height": 812}, bypass_csp=True).new_page()
    page.set_default_timeout(45_000)
    chief = desk.accounts.find("chief@desk.example")
    assert chief is not None
    session = desk.accounts.open_session(chief, desk.clock.now())
    found = {}
    for path in pages[part::3]:
        page.context.clear_cookies()
        if path != "/login":
            page.context.add_cookies([{"name": "newsletter-session", "value": session, "url": address}])
        page.goto("about:blank")
        page.goto(address + path)
        for width, scheme, rules in (
            (1440, "light", {}),
            (1440, "dark", {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}),
            (375, "dark", {"rules": {"color-contrast": {"enabled": False}}}),
        ):
            page.set_viewport_size({"width": width, "height": 812})
            page.emulate_media(color_scheme=scheme)
            if seen := faults(page, frames=False, **rules):
                found[path, width, scheme] = seen
        page.set_viewport_size({"width": 1440, "height": 812})
        page.emulate_media(color_scheme="light")
    page.context.close()
    assert found == {}
