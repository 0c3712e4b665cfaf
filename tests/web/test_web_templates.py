"""Templates on screen: checked with their mails, kept whole or not at all, given back; nothing that runs gets out."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import previews
from newsletter.newsroom.planning import template_files
from newsletter.storage import Role

from .browsing import faults, served
from .conftest import ISSUE, Visitor
from .test_web_schedules import words

NAME = "partials/masthead.mjml"
PLACE = f"/templates/file?name={NAME}"


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def opened(admin: Visitor, name: str = NAME) -> dict[str, str]:
    """What the form of the editor holds."""
    page = admin.http.get(f"/templates/file?name={name}").text
    began = re.search(r'name="began" value="(\w+)"', page)
    text = re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert began is not None
    assert text is not None
    return {"name": name, "began": began[1], "text": unescape(text[1])}


def own(room: Newsroom, name: str = NAME) -> Path:
    return room.desk / "templates" / name


def test_a_shipped_file_becomes_the_desks_own_and_is_given_back(review: Newsroom, admin: Visitor) -> None:
    form = opened(admin)
    changed = form | {"text": form["text"].replace("{{issue.title}}", "{{issue.title}} of ours")}
    answer = admin.order("/templates/save", **changed)
    assert answer.headers["location"] == f"/templates/file?name={NAME.replace('/', '%2F')}&saved"
    assert own(review).read_text(encoding="utf-8") == changed["text"]
    assert "of ours" in previews.preview(review, ISSUE).html
    assert "masthead.mjml own" in words(admin.http.get("/templates").text)
    assert any(NAME in line.remark for line in review.audit.lines())
    assert admin.order("/templates/shipped", name=NAME).status_code == 303
    assert not own(review).exists()
    assert "of ours" not in previews.preview(review, ISSUE).html
    assert admin.order("/templates/shipped", name=NAME).status_code == 409


def test_a_fault_is_shown_on_its_line_and_nothing_is_written(review: Newsroom, admin: Visitor) -> None:
    form = opened(admin)
    broken = form | {"text": form["text"].replace("{{issue.title}}", "{{issue.tittle}}", 1)}
    answer = admin.order("/templates/save", **broken)
    assert answer.status_code == 400
    assert "issue.tittle" in unescape(answer.text)
    assert str(review.desk) not in answer.text
    assert not own(review).exists()
    found = admin.http.post(
        "/templates/check", data={"token": admin.token, **broken}, headers={"accept": "application/json"}
    ).json()["problems"]
    assert [(each["file"], each["here"]) for each in found] == [(NAME, True)]
    assert found[0]["line"] == broken["text"][: broken["text"].index("tittle")].count("\n") + 1
    assert "A fault is in the way" in admin.order("/templates/mail", **broken).text
    assert "Without fault" in words(admin.order("/templates/check", **form).text)


def test_two_at_once_lose_nothing(review: Newsroom, admin: Visitor) -> None:
    first, second = opened(admin), opened(admin)
    admin.order("/templates/save", **first | {"text": first["text"].replace("{{issue.title}}", "{{issue.title}} one")})
    mine = second["text"].replace("{{issue.title}}", "{{issue.title}} two")
    answer = admin.order("/templates/save", **second | {"text": mine})
    assert answer.status_code == 409
    assert "somebody has changed" in answer.text
    assert "} two" in unescape(answer.text)
    assert "} one" in unescape(answer.text)
    assert "} one" in own(review).read_text(encoding="utf-8")
    assert admin.order("/templates/save", **opened(admin)).status_code == 409  # it says that already


def test_a_mail_of_ones_own_is_started_with_the_files_of_another(review: Newsroom, admin: Visitor) -> None:
    answer = admin.order("/templates/start", name="weekend", like="briefing")
    assert answer.headers["location"] == "/templates/file?name=weekend%2Fbody.mjml"
    assert own(review, "weekend/subject.txt").exists()
    assert "no newsletter names it" in words(admin.http.get("/templates").text)
    assert admin.order("/templates/shipped", name="weekend/body.mjml").status_code == 409
    for name in ("weekend", "Week end", "../up", "partials", "desk"):
        assert admin.order("/templates/start", name=name, like="briefing").status_code == 409, name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../.env",
        "daily/../../.env",
        "daily",
        "words/ar.po",
        "desk/letter.mjml",
        "daily/body.mjml/",
        "x\\y",
    ],
)
def test_no_other_file_can_be_had(review: Newsroom, admin: Visitor, name: str) -> None:
    assert admin.http.get("/templates/file", params={"name": name}).status_code == 404
    assert admin.http.get("/templates/mail", params={"name": name}).status_code == 404
    for order in ("check", "mail", "save", "shipped"):
        answer = admin.order(f"/templates/{order}", name=name, began=template_files.stamp(""), text="x")
        assert answer.status_code == 404, order


def test_the_mail_is_framed_without_scripts_and_shows_what_is_typed(admin: Visitor) -> None:
    form = opened(admin)
    typed = form | {"text": form["text"].replace("{{issue.title}}", "{{issue.title}} as typed")}
    for answer in (admin.http.get(f"/templates/mail?name={NAME}"), admin.order("/templates/mail", **typed)):
        assert answer.status_code == 200
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "as typed" in answer.text


def test_in_a_browser(review: Newsroom, browser: Any) -> None:
    with served(review) as address:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        page = context.new_page()
        person = review.accounts.add("admin@desk.example", Role.ADMIN, review.clock.now())
        page.goto(f"{address}/login/link/{review.accounts.make_login_link(person, review.clock.now())}")
        page.goto(f"{address}{PLACE}")
        page.locator(".cm-content").click()
        page.keyboard.press("Control+Home")
        page.keyboard.type("<mj-txt>Hello</mj-txt>")
        page.locator("#found .blocking").wait_for()
        assert "line 1" in page.locator("#found").inner_text()
        for _ in "mj-txt>Hello</mj-txt>":
            page.keyboard.press("Backspace")
        page.keyboard.type("mj-text>Typed a moment ago</mj-text>")
        page.frame_locator("iframe[name=mail]").get_by_text("Typed a moment ago").wait_for()
        assert faults(page, frames=False) == []
        page.get_by_role("button", name="Save").click()
        page.get_by_text("It is saved").wait_for()
        assert "Typed a moment ago" in own(review).read_text(encoding="utf-8")
        context.close()


def test_files_by_folder(review: Newsroom) -> None:
    names = [file.name for file in template_files.listed(review)]
    assert len(set(names)) == len(names)
    assert names.index("daily/body.mjml") < names.index("partials/card.mjml") < names.index("theme.toml")
    assert not any(name.startswith(("words", "desk", "reader")) for name in names)
