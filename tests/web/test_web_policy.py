"""Who may do what, on every route, by every method, from every site."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.routing import Route

from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web.app import make_app
from newsletter.web.policy import ACCESS, allows

from .addresses import everywhere, filled, of_the_desk
from .conftest import BASE, ISSUE, Visitor, dump


def others(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The other routes of its address."""
    routes = of_the_desk()
    here = routes[name][0].partition("?")[0]
    return [each for other, each in routes.items() if other != name and each[0].partition("?")[0] == here]


PLACES = {name: path for name, (path, _) in of_the_desk().items()}
ORDERS = tuple(name for name, (_, methods) in of_the_desk().items() if "POST" in methods)
LOOKS = tuple(name for name, (_, methods) in of_the_desk().items() if "GET" in methods)


def test_every_route_has_its_line_in_the_policy_and_no_line_is_left_over(sent: Newsroom) -> None:
    routes = [route for route in make_app(sent).routes if isinstance(route, Route)]
    assert len(routes) == len(make_app(sent).routes)
    assert {route.name for route in routes} == set(ACCESS)
    assert set(ORDERS) == {route.name for route in routes if "POST" in (route.methods or ())} - OPEN_ORDERS


OPEN_ORDERS = {
    *("login", "login_code", "login_link", "forgot", "password"),
    *("approval", "unsubscribe", "preferences", "report", "subscribe", "confirm", "link_mail"),
    *("data_mail", "data_address", "data_delete", "address_change"),
    *("story_push", "ghost_webhook", "bounces_sns"),
    *("api_story_withdraw", "api_subscriber_add", "api_subscriber_preferences"),
    *("api_subscriber_unsubscribe", "api_suppress", "api_unsuppress", "api_import"),
}
"""What is posted without a session: each has a test of its own, of what stands in its place."""


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
            answer = visitor.http.request(method, filled(sent, name))
            assert answer.status_code == 401, name
            assert "Log in" in answer.text
            assert "Asia AI Daily" not in answer.text
    assert dump(sent) == before


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_exactly_what_the_policy_gives(sent: Newsroom, role: Role) -> None:
    """Role × route × method, from the router itself."""
    visitor = Visitor(sent).enter(role)
    for name in PLACES:
        needed = ACCESS[name]
        assert isinstance(needed, Role)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            asked = "GET" if method == "HEAD" else method
            if any(asked in methods for _, methods in others(name)):
                continue  # that is another route of this address
            visitor.renew()
            answer = visitor.http.request(method, filled(sent, name), data={"token": visitor.token})
            if method not in of_the_desk()[name][1] and not (method == "HEAD" and name in LOOKS):
                assert answer.status_code == 405, (name, method)
                continue
            assert (answer.status_code != 403) == allows(role, needed), (name, method)
            assert answer.status_code != 401, (name, method)
            if allows(role, needed) and method == "GET":
                assert answer.status_code == 200, name


def spellings(path: str) -> list[str]:
    """Other ways to write an address that some servers take for the same."""
    inner = path[1:]
    return [
        *(f"{path}/", f"{path};x", f"{path};/", f"/{path}", f"{path}//", f"{path}/.", f"{path}%2f", f"{path}%00"),
        *(
            path.upper(),
            f"/{inner.replace('/', '//')}",
            f"/{inner.replace('/', '%2f')}",
            f"/{inner.replace('/', '/./')}",
        ),
        *(f"/x/..{path}", f"/%2e%2e{path}", f"{path}%20", f"/static/..{path}", f"/%5c{inner}", f"/%2f{inner}"),
    ]


@pytest.mark.parametrize("role", [None, *Role])
def test_another_spelling_of_an_address_has_the_same_verdict(sent: Newsroom, role: Role | None) -> None:
    visitor = Visitor(sent)
    if role is not None:
        visitor.enter(role)
    before = dump(sent)
    for name, (_, methods) in of_the_desk().items():
        needed = ACCESS[name]
        assert isinstance(needed, Role)
        if role is not None and allows(role, needed):
            continue
        for path in spellings(filled(sent, name)):
            fields = {"token": visitor.token, "revision": "1", "role": "admin"} if "POST" in methods else None
            answer = visitor.http.request(methods[0], BASE + path, data=fields)
            verdict = {401} if role is None else {403}
            # It is either the same address (%2f is a slash, "/" in capitals is "/"), or there is nothing at it.
            assert answer.status_code in verdict | {404, 405}, (name, path)
            assert "<table" not in answer.text
    assert dump(sent) == before


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


def test_a_nul_is_refused_at_the_door(review: Newsroom) -> None:
    """PostgreSQL takes no text with one: whatever reaches a query would break it."""
    visitor = Visitor(review).enter(Role.ADMIN)
    for name, (address, methods) in everywhere().items():
        address = address.partition("?")[0]
        public = not isinstance(ACCESS[name], Role)
        if "GET" in methods:
            for query in ("begins=a%00", "%00=a", "address=%00@example.com"):
                assert visitor.http.get(f"{address}?{query}").status_code == 400, (address, query)
            assert visitor.http.get(f"{address}%00").status_code == 404, address
        if "POST" in methods:
            form = {"token": visitor.token, "address": "a\0@example.com"}
            answer = visitor.http.post(address, data=form)
            assert answer.status_code == 400 or (public and answer.status_code in (401, 404)), address
