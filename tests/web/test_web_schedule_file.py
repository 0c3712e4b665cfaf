"""schedule.yaml on the screen: checked to the line, saved as typed, never over somebody else's change."""

from __future__ import annotations

import html
import re

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.planning import applying
from newsletter.storage import Role
from newsletter.web.desk.schedule.typed import MOST_TYPED, packed, unpacked

from .conftest import Visitor
from .test_web_schedules import words

FILE = "/schedules/file"


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def text_of(page: str) -> str:
    """What a browser has in the page's textarea: a first line break after the tag is none of it."""
    return html.unescape(re.sub(r"^\n", "", re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[0]))


def began_of(page: str) -> str:
    return html.unescape(re.findall(r'name="began" value="([^"]*)"', page)[0])


def post(visitor: Visitor, what: str, text: str, began: str, **headers: str):  # type: ignore[no-untyped-def]
    """As a browser posts the form: in parts, lines ended by CR LF."""
    fields = {"token": visitor.token, "began": began, "text": text.replace("\n", "\r\n")}
    return visitor.http.post(
        f"{FILE}/{what}", files={name: (None, each) for name, each in fields.items()}, headers=headers
    )


def test_the_text_goes_through_the_editor_unchanged(review: Newsroom, admin: Visitor) -> None:
    odd = "\n" + review.plan_file.read_text(encoding="utf-8") + "# </textarea> & \u65e5\u672c\n\n"
    review.plan_file.write_text(odd, encoding="utf-8")
    page = admin.http.get(FILE).text
    assert text_of(page) == odd
    assert unpacked(began_of(page)) == odd
    answer = post(admin, "diff", text_of(page), began_of(page))
    assert answer.status_code == 409
    assert "says that already" in answer.text


@pytest.mark.parametrize(("mark", "ending"), [(b"", "\n"), (b"\xef\xbb\xbf", "\r\n")])
def test_a_change_is_shown_then_saved_as_typed(review: Newsroom, admin: Visitor, mark: bytes, ending: str) -> None:
    old = review.plan_file.read_text(encoding="utf-8")
    review.plan_file.write_bytes(mark + old.replace("\n", ending).encode())
    page = admin.http.get(FILE).text
    new = text_of(page).replace('at: "07:00"', 'at: "08:15"   # Anna\'s   wish')
    shown = post(admin, "diff", new, began_of(page))
    assert shown.status_code == 200
    assert "<ins>+    at: &#34;08:15&#34;" in shown.text
    assert "Wed 27 May, 08:15 Singapore Wed 27 May, 00:15" in words(shown.text)
    assert review.plan_file.read_bytes() == mark + old.replace("\n", ending).encode(), "nothing is written yet"
    saved = post(admin, "save", text_of(shown.text), began_of(shown.text))
    assert (saved.status_code, saved.headers["location"]) == (303, f"{FILE}?saved")
    assert review.plan_file.read_bytes() == mark + new.replace("\n", ending).encode()
    assert "It is saved." in admin.http.get(f"{FILE}?saved").text
    assert f"{review.plan.newsletters['asia-ai-daily'].at:%H:%M}" == "08:15"


def test_a_check_shows_faults_on_their_lines_and_what_was_meant(review: Newsroom, admin: Visitor) -> None:
    page = admin.http.get(FILE).text
    broken = text_of(page).replace("Asia/Singapore", "Asia/Singapor").replace("countries:", "countrys:")
    answer = post(admin, "check", broken, began_of(page))
    assert answer.status_code == 200
    assert text_of(answer.text) == broken
    said = words(answer.text)
    assert "defaults.timezone" in said
    assert "did you mean 'Asia/Singapore'?" in said
    assert "countrys" in said
    line = next(n for n, each in enumerate(broken.splitlines(), 1) if "Asia/Singapor" in each)
    assert f"schedule.yaml, line {line}, column" in said
    assert answer.text.count('<li class="wrong">') >= 2
    good = post(admin, "check", text_of(page), began_of(page))
    assert "Valid. Nothing is written yet." in words(good.text)
    assert good.text.count('data-name="UTC"') == 10
    for what in ("diff", "save"):
        refused = post(admin, what, broken, began_of(page))
        assert refused.status_code == 400
        assert text_of(refused.text) == broken
    assert review.plan_file.read_text(encoding="utf-8") == text_of(page)


@pytest.mark.parametrize(
    "text", ["", "a: [", "\t", "x" * 5000, "version: 1\n", "- <script>\n", "{{ 7*7 }}: 1\n", "a: !!python/x 1"]
)
def test_whatever_is_typed_is_answered_with_its_faults(admin: Visitor, text: str) -> None:
    began = began_of(admin.http.get(FILE).text)
    page = post(admin, "check", text, began)
    assert page.status_code == 200
    assert "fault" in words(page.text)
    assert "<script>" not in page.text
    found = post(admin, "check", text, began, accept="application/json").json()
    assert found["problems"]
    assert found["runs"] == []


def test_the_script_is_answered_in_json(admin: Visitor) -> None:
    page = admin.http.get(FILE).text
    found = post(admin, "check", text_of(page), began_of(page), accept="application/json").json()
    assert found["problems"] == []
    assert len(found["runs"]) == 10
    assert found["runs"][0]["utc"] == "Tue 26 May, 23:00"
    assert admin.http.get(f"{FILE}/schema").json()["properties"]["newsletters"]


def test_somebody_elses_change_is_shown_and_never_overwritten(review: Newsroom, admin: Visitor) -> None:
    page = admin.http.get(FILE).text
    mine = text_of(page).replace('at: "07:00"', 'at: "08:15"')
    theirs = text_of(page).replace("title: Asia AI Daily", "title: Asia AI Today")
    shown = post(admin, "diff", mine, began_of(page))
    review.plan_file.write_text(theirs, encoding="utf-8")
    for what, began in (("diff", began_of(page)), ("save", began_of(shown.text))):
        answer = post(admin, what, mine, began)
        assert answer.status_code == 409
        assert "somebody has changed schedule.yaml" in answer.text
        assert "<ins>+    title: Asia AI Today" in answer.text
        assert text_of(answer.text) == mine, "what was typed is kept"
        assert review.plan_file.read_text(encoding="utf-8") == theirs
    both = mine.replace("title: Asia AI Daily", "title: Asia AI Today")
    assert post(admin, "save", both, began_of(answer.text)).status_code == 303
    assert review.plan_file.read_text(encoding="utf-8") == both


def test_a_broken_file_opens_with_its_faults_and_can_be_mended(review: Newsroom, admin: Visitor) -> None:
    good = review.plan_file.read_text(encoding="utf-8")
    review.plan_file.write_text(good.replace("Asia/Singapore", "Asia/Singapor"), encoding="utf-8")
    assert FILE in admin.http.get("/schedules").text
    page = admin.http.get(FILE).text
    assert "1 fault" in words(page)
    assert post(admin, "save", good, began_of(page)).status_code == 303
    assert review.plan_file.read_text(encoding="utf-8") == good


def test_a_file_that_cannot_be_shown_is_said_to_be_so(review: Newsroom, admin: Visitor) -> None:
    good = review.plan_file.read_bytes()
    _ = review.plan
    review.plan_file.write_bytes(good + b"# caf\xe9\n")
    assert "not UTF-8" in admin.http.get(FILE).text
    review.plan_file.write_bytes(good + b"# " + b"x" * MOST_TYPED + b"\n")
    page = admin.http.get(FILE).text
    assert "too large for this screen" in page
    assert "<textarea" not in page
    review.plan_file.unlink()
    assert admin.http.get(FILE).status_code == 400


@pytest.mark.parametrize("began", ["", "x", "eJw=", packed("x" * (MOST_TYPED + 9))])
def test_a_form_that_is_not_whole_saves_nothing(review: Newsroom, admin: Visitor, began: str) -> None:
    before = review.plan_file.read_bytes()
    assert post(admin, "save", "version: 1\n", began).status_code == 400
    assert review.plan_file.read_bytes() == before


def test_where_it_is_applied_for_every_host_saving_leads_to_applying(review: Newsroom, admin: Visitor) -> None:
    first = applying.apply(review, applying.propose(review), who="ben")
    page = admin.http.get(FILE).text
    assert f"revision {first.digest[:12]}, applied by ben" in page
    new = text_of(page).replace('at: "07:00"', 'at: "08:15"')
    saved = post(admin, "save", new, began_of(page))
    assert saved.headers["location"] == f"{FILE}/apply"
    shown = admin.http.get(f"{FILE}/apply").text
    assert "<ins>+    at: &#34;08:15&#34;" in shown
    digest = re.findall(r'name="digest" value="(\w+)"', shown)[0]
    form = {"token": admin.token, "digest": digest}
    stale = admin.http.post(f"{FILE}/apply", data=form | {"digest": first.digest})
    assert stale.status_code == 409
    assert f"{review.plan.newsletters['asia-ai-daily'].at:%H:%M}" == "07:00"
    assert admin.http.post(f"{FILE}/apply", data=form).status_code == 303
    assert f"{review.plan.newsletters['asia-ai-daily'].at:%H:%M}" == "08:15"
    assert admin.http.post(f"{FILE}/apply", data=form).status_code == 409
    assert "Every host follows this file" in admin.http.get(f"{FILE}/apply").text


def test_a_broken_file_is_not_offered_to_every_host(review: Newsroom, admin: Visitor) -> None:
    _ = review.plan
    review.plan_file.write_text("newsletters: [", encoding="utf-8")
    answer = admin.http.get(f"{FILE}/apply")
    assert (answer.status_code, answer.headers["location"]) == (303, FILE)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_others_neither_see_nor_change_it(review: Newsroom, role: Role) -> None:
    visitor, before = Visitor(review).enter(role), review.plan_file.read_bytes()
    for path in (FILE, f"{FILE}/schema", f"{FILE}/apply"):
        assert visitor.http.get(path).status_code == 403
    for what in ("check", "diff", "save"):
        assert post(visitor, what, "version: 1\n", packed(before.decode())).status_code == 403
    assert review.plan_file.read_bytes() == before


def test_the_editor_runs_without_leave_for_inline_code(admin: Visitor) -> None:
    for path in (FILE, "/schedules", "/schedules/asia-ai-daily"):
        policy = admin.http.get(path).headers["content-security-policy"]
        assert "script-src 'self'; connect-src 'self'" in policy
        assert "unsafe" not in policy
    script = re.findall(r'src="(/static/editor\.js\?v=\w+)"', admin.http.get(FILE).text)[0]
    served = admin.http.get(script)
    assert served.headers["content-type"].startswith("text/javascript")
    assert "immutable" in served.headers["cache-control"]
