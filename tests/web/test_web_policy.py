"""Who may do what, on every route, by every method, from every site."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from starlette.routing import Route

from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.app import make_app
from newsletter.web.policy import ACCESS, KEY, PUBLIC, allows

from .conftest import BASE, ISSUE, Visitor, dump

MAIL = "/outbox/asia-ai-daily/2026-05-27"
PLACES = {
    "board": "/",
    "issue_list": "/issues",
    "issue": f"/issues/{ISSUE}",
    "issue_mail": f"/issues/{ISSUE}/mail",
    "issue_approve": f"/issues/{ISSUE}/approve",
    "issue_recipients": f"/issues/{ISSUE}/recipients",
    "issue_story": f"/issues/{ISSUE}/story?id=STORY",
    "issue_story_change": f"/issues/{ISSUE}/story?id=STORY",
    "issue_revisions": f"/issues/{ISSUE}/revisions",
    "issue_live": f"/issues/{ISSUE}/live",
    **{
        f"issue_{order}": f"/issues/{ISSUE}/{order}"
        for order in (
            "arrange",
            "words",
            "restore",
            "build",
            "proof",
            "undo",
            "stop",
            "rest",
            "cancel",
            "correct",
            "decide",
        )
    },
    "story_list": "/stories",
    "story_file": "/stories/file",
    "schedule_list": "/schedules",
    "subscriber_list": "/subscribers",
    "subscriber": "/subscribers/one?address=mei.tan@example.com",
    "subscriber_change": "/subscribers/one",
    "schedule_newsletter": f"/schedules/{ISSUE.newsletter}",
    "schedule_slot": f"/schedules/{ISSUE}",
    "schedule_pause": f"/schedules/{ISSUE.newsletter}/pause",
    "schedule_pause_all": "/schedules/pause",
    "schedule_resume": f"/schedules/{ISSUE.newsletter}/resume",
    "schedule_skip": f"/schedules/{ISSUE.newsletter}/skip",
    "schedule_move": f"/schedules/{ISSUE.newsletter}/move",
    "schedule_extra": f"/schedules/{ISSUE.newsletter}/extra",
    "schedule_run": f"/schedules/{ISSUE.newsletter}/run",
    "schedule_end": f"/schedules/{ISSUE.newsletter}/end/1",
    "schedule_file": "/schedules/file",
    "schedule_file_check": "/schedules/file/check",
    "schedule_file_diff": "/schedules/file/diff",
    "schedule_file_save": "/schedules/file/save",
    "schedule_file_schema": "/schedules/file/schema",
    "schedule_apply": "/schedules/file/apply",
    "source_list": "/sources",
    "source_switch": "/sources/desk/switch",
    "outbox": "/outbox",
    "outbox_folder": MAIL,
    "outbox_message": f"{MAIL}/FILE",
    "outbox_mail": f"{MAIL}/FILE/mail",
    "logout": "/logout",
}
ORDERS = (
    *("issue_approve", "issue_arrange", "issue_words", "issue_story_change", "issue_restore", "issue_build"),
    *("issue_proof", "issue_undo", "issue_stop", "issue_rest", "issue_cancel", "issue_correct", "issue_decide"),
    "subscriber_change",
    "story_file",
    "schedule_pause",
    "schedule_pause_all",
    "schedule_resume",
    "schedule_skip",
    "schedule_move",
    "schedule_extra",
    "schedule_run",
    "schedule_end",
    "schedule_file_check",
    "schedule_file_diff",
    "schedule_file_save",
    "schedule_apply",
    "source_switch",
    "logout",
)


def place(room: Newsroom, name: str) -> str:
    file = next((room.outbox / "asia-ai-daily" / "2026-05-27").glob("*.eml")).name
    snapshot = room.issues.get(ISSUE).snapshot
    assert snapshot is not None
    return PLACES[name].replace("FILE", file).replace("STORY", quote(snapshot.placed[0].story.id))


def test_every_route_has_its_line_in_the_policy_and_no_line_is_left_over(sent: Newsroom) -> None:
    routes = [route for route in make_app(sent).routes if isinstance(route, Route)]
    assert len(routes) == len(make_app(sent).routes)
    assert {route.name for route in routes} == set(ACCESS)
    assert {name for name, needed in ACCESS.items() if needed not in (PUBLIC, KEY)} == set(PLACES)
    personal = {route.name: route for route in routes if ACCESS[route.name] not in (PUBLIC, KEY)}
    posts = {name for name, route in personal.items() if "POST" in (route.methods or ())}
    assert posts == set(ORDERS)


def test_a_route_without_a_line_cannot_be_served(sent: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ACCESS, "issue_list")
    with pytest.raises(KeyError):
        make_app(sent)


def test_nobody_gets_in_without_a_session(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    before = dump(sent)
    for name in PLACES:
        for cookie in ("", "forged"):
            visitor.http.cookies.set("newsletter-session", cookie)
            method = "POST" if name in ORDERS else "GET"
            answer = visitor.http.request(method, place(sent, name))
            assert answer.status_code == 401, name
            assert "Log in" in answer.text
            assert "Asia AI Daily" not in answer.text
    assert dump(sent) == before


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_exactly_what_the_policy_gives(sent: Newsroom, role: Role) -> None:
    visitor = Visitor(sent).enter(role)
    for name in PLACES:
        needed = ACCESS[name]
        assert isinstance(needed, Role)
        method = "POST" if name in ORDERS else "GET"
        answer = visitor.http.request(
            method, place(sent, name), data={"token": visitor.token} if name in ORDERS else None
        )
        assert (answer.status_code != 403) == allows(role, needed), name
        if allows(role, needed) and method == "GET":
            assert answer.status_code == 200, name


SPELLINGS = ("//", "/issues%2fasia-ai-daily%2f2026-05-27", "/outbox/", "/stories;x", "/stories/", "/./", "/%2e%2e/")


def test_another_spelling_of_an_address_opens_nothing(sent: Newsroom) -> None:
    visitor = Visitor(sent)
    for path in SPELLINGS:
        answer = visitor.http.get(path)
        assert answer.status_code in (401, 404), path
        assert "Asia AI Daily" not in answer.text


FOREIGN = {
    "no token": ({}, {}),
    "an empty token": ({"token": ""}, {}),
    "a wrong token": ({"token": "0" * 40}, {}),
    "a foreign origin": (None, {"origin": "https://evil.example"}),
    "a null origin": (None, {"origin": "null"}),
    "another port": (None, {"origin": "http://127.0.0.1:9"}),
    "a cross-site fetch": (None, {"sec-fetch-site": "cross-site"}),
    "a same-site fetch": (None, {"sec-fetch-site": "same-site"}),
}


KINDS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "application/json")


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_from_another_site_is_refused(review: Newsroom, name: str) -> None:
    visitor = Visitor(review).enter(Role.ADMIN)
    before = dump(review)
    for case, (fields, headers) in FOREIGN.items():
        form = {"revision": "1"} | ({"token": visitor.token} if fields is None else fields)
        for kind in KINDS:
            answer = visitor.http.post(PLACES[name], **body(form, kind, headers))
            assert answer.status_code == 403, (case, kind)
    assert dump(review) == before


def body(form: dict[str, str], kind: str, headers: dict[str, str]) -> dict[str, Any]:
    """A form as a page could make a browser post it."""
    match kind:
        case "multipart/form-data":
            return {"files": {key: (None, value) for key, value in form.items()}, "headers": headers}
        case "application/json":
            return {"json": form, "headers": headers}
    return {"data": form, "headers": {"content-type": kind, **headers}}


def test_an_order_from_our_own_page_is_followed(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.APPROVER)
    headers = {"origin": BASE, "sec-fetch-site": "same-origin"}
    answer = visitor.http.post(PLACES["issue_approve"], data={"token": visitor.token, "revision": "1"}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/issues/{ISSUE}")
    assert review.issues.get(ISSUE).approved_by == "approver@desk.example"


def test_the_token_of_one_session_opens_no_other(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.ADMIN)
    stranger = review.accounts.open_session(review.accounts.find("editor@example.com"), review.clock.now())
    old = visitor.token
    visitor.http.cookies.set("newsletter-session", stranger)
    assert visitor.http.post("/logout", data={"token": old}).status_code == 403


def test_a_form_too_large_is_refused_before_it_is_read(review: Newsroom) -> None:
    answer = Visitor(review).http.post("/login", data={"email": "x" * 100_000})
    assert answer.status_code == 413
    assert answer.headers["x-content-type-options"] == "nosniff"
