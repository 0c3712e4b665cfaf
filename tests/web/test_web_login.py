"""The way in and the way out."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network

import pytest
from starlette.exceptions import HTTPException

from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.web import passwords
from newsletter.web.desk.login import page as login
from newsletter.web.proxies import client_behind
from newsletter.web.sessions import local_path
from newsletter.web.throttle import Throttle

from .conftest import Visitor, dump

PASSWORD = "correct horse battery"


@pytest.fixture
def desk(review: Newsroom) -> Newsroom:
    review.accounts.add("anna@example.com", Role.EDITOR, review.clock.now(), PASSWORD)
    return review


def post(visitor: Visitor, email: str, password: str, **fields: str):
    page = visitor.http.get("/login").text
    (token,) = re.findall(r'name="token" value="([0-9a-f]+)"', page)
    return visitor.http.post("/login", data={"token": token, "email": email, "password": password, **fields})


def test_password_opens_a_session_in_a_strict_cookie(desk: Newsroom) -> None:
    visitor = Visitor(desk)
    answer = post(visitor, " Anna@Example.com ", PASSWORD, next="/stories?country=JP")
    assert (answer.status_code, answer.headers["location"]) == (303, "/stories?country=JP")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("newsletter-session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert visitor.http.get("/stories").status_code == 200


def test_over_https_the_cookie_is_pinned_to_the_host(open_desk: Callable[..., Newsroom]) -> None:
    room = open_desk("review", base_url="https://news.example.com")
    answer = Visitor(room).http.get("/login")
    assert answer.headers["set-cookie"].startswith("__Host-newsletter-visitor=")
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert answer.headers["strict-transport-security"]


def test_unknown_address_and_wrong_password_get_the_same_answer(desk: Newsroom) -> None:
    answers = [post(Visitor(desk), email, "wrong") for email in ("anna@example.com", "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [401, 401]
    bodies = {re.sub(r"(token|email)\" value=\"[^\"]*", "", answer.text) for answer in answers}
    assert len(bodies) == 1


def test_guessing_is_braked_per_address_and_network_whatever_a_header_says(desk: Newsroom) -> None:
    visitor = Visitor(desk)
    for _ in range(login.FAILURES):
        assert post(visitor, "anna@example.com", "wrong").status_code == 401
    visitor.http.headers["x-forwarded-for"] = "203.0.113.99"
    refused = post(visitor, "anna@example.com", PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= login.PERIOD_SECONDS
    assert post(Visitor(desk, "192.0.2.8"), "anna@example.com", PASSWORD).status_code == 303


def test_a_forged_header_does_not_lift_the_brake_behind_a_proxy(open_desk: Callable[..., Newsroom]) -> None:
    room = open_desk("review", trusted_proxies="10.0.0.7, 192.0.2.0/24")
    room.accounts.add("anna@example.com", Role.VIEWER, room.clock.now(), PASSWORD)
    proxy = Visitor(room, "10.0.0.7")
    for number in range(login.FAILURES):
        # The proxy adds whom it heard; what the client wrote before that is its own.
        proxy.http.headers["x-forwarded-for"] = f"203.0.113.{number}, 198.51.100.5"
        assert post(proxy, "anna@example.com", "wrong").status_code == 401
    proxy.http.headers["x-forwarded-for"] = "192.0.2.1, 203.0.113.99, 198.51.100.5, 192.0.2.9"
    assert post(proxy, "anna@example.com", PASSWORD).status_code == 429
    proxy.http.headers["x-forwarded-for"] = "198.51.100.5, 198.51.100.6"
    assert post(proxy, "anna@example.com", PASSWORD).status_code == 303, "another network behind the same proxy"
    assert room.audit.lines(limit=1)[0].client == "198.51.100.6"
    direct = Visitor(room, "198.51.100.5")
    direct.http.headers["x-forwarded-for"] = "203.0.113.1"
    assert post(direct, "anna@example.com", PASSWORD).status_code == 429, "no proxy of ours: its header counts nothing"


TRUSTED = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/64")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.1", ["203.0.113.1"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.1, 10.9.9.9"], "203.0.113.1"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.1"], "203.0.113.1"),
        ("10.0.0.1", ["203.0.113.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.1, "], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("2001:db8::7", ["[2001:db9::1]:4711"], "2001:db9::1"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.1"], "203.0.113.1"),
        ("", ["203.0.113.1"], ""),
        ("testclient", ["203.0.113.1"], "testclient"),
        ("10.0.0.1", ["203.0.113.1, " + "10.0.0.2, " * 5000 + "10.0.0.3"], "10.0.0.2"),
    ],
)
def test_the_client_is_the_first_stranger_from_the_right(peer: str, forwarded: list[str], client: str) -> None:
    assert client_behind(peer, forwarded, TRUSTED) == client
    assert client_behind(peer, forwarded, []) == peer


def test_a_login_form_of_another_site_or_browser_is_refused(desk: Newsroom) -> None:
    form = {"email": "anna@example.com", "password": PASSWORD}
    assert Visitor(desk).http.post("/login", data=form).status_code == 403
    assert Visitor(desk).http.post("/login", data={**form, "token": "0" * 40}).status_code == 403
    visitor = Visitor(desk)
    visitor.http.headers["sec-fetch-site"] = "cross-site"
    assert post(visitor, "anna@example.com", PASSWORD).status_code == 403


def test_logging_in_again_ends_the_old_session_and_logging_out_the_new(desk: Newsroom) -> None:
    visitor = Visitor(desk).enter(Role.VIEWER)
    old = visitor.secret
    assert visitor.http.get("/login").headers["location"] == "/"
    visitor.http.cookies.clear()
    visitor.http.get("/login")
    visitor.http.cookies.set("newsletter-session", old)
    token = re.findall(r'name="token" value="([0-9a-f]+)"', visitor.http.get("/").text)[0]
    assert visitor.http.post("/logout", data={"token": token}).headers["location"] == "/login"
    assert desk.accounts.session_account(old, desk.clock.now()) is None


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "evil", ""],
)
def test_login_leads_nowhere_else(path: str) -> None:
    assert local_path(path) == "/"


def test_a_login_link_needs_a_button_away_from_home(review: Newsroom) -> None:
    visitor = Visitor(review)
    anna = review.accounts.add("anna@example.com", Role.EDITOR, review.clock.now())
    link = f"/login/link/{review.accounts.make_login_link(anna, review.clock.now())}"
    before = dump(review)
    for method in ("GET", "HEAD"):
        answer = visitor.http.request(method, link)
        assert (answer.status_code, answer.headers["referrer-policy"]) == (200, "no-referrer")
    assert dump(review) == before
    # A page with `no-referrer` makes browsers say `Origin: null`.
    assert visitor.http.post(link, headers={"origin": "null"}).headers["location"] == "/"
    assert visitor.http.get("/").status_code == 200
    assert Visitor(review).http.post(link).status_code == 404


@pytest.mark.parametrize(
    ("client", "base", "enters"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("::1", "http://localhost:8000", True),
        ("127.0.0.1", "https://news.example.com", False),
        ("192.0.2.7", "http://127.0.0.1:8000", False),
    ],
)
def test_a_login_link_is_enough_only_on_ones_own_machine(
    open_desk: Callable[..., Newsroom], client: str, base: str, enters: bool
) -> None:
    room = open_desk("review", base_url=base)
    link = room.accounts.make_login_link(room.accounts.find("editor@example.com"), room.clock.now())
    answer = Visitor(room, client).http.get(f"/login/link/{link}")
    assert answer.status_code == (303 if enters else 200)


def test_an_old_or_invented_login_link_does_not_log_in(review: Newsroom) -> None:
    editor = review.accounts.find("editor@example.com")
    old = review.accounts.make_login_link(editor, review.clock.now() - timedelta(days=1))
    for token in (old, "x" * 32, "%00", "a.b.c"):
        answer = Visitor(review).http.post(f"/login/link/{token}")
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers


def test_the_throttle_forgets_in_time_and_never_grows_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    throttle = Throttle(2, 60, lambda: now[0])
    throttle.fail("a")
    now[0] = 10
    throttle.fail("a")
    assert throttle.wait("a") == 50
    assert throttle.wait("b") == 0
    now[0] = 60
    assert throttle.wait("a") == 0
    monkeypatch.setattr("newsletter.web.throttle.MOST_KEYS", 10)
    for number in range(50):
        throttle.fail(number)
    assert len(throttle._failures) == 10


def test_a_flood_of_passwords_leaves_the_threads_to_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """All forty waited for a place to hash in, two seconds each, and every page with them."""
    monkeypatch.setattr(passwords, "BUSY_SECONDS", 0.5)
    spent: list[float] = []

    def try_one() -> None:
        began = time.perf_counter()
        with pytest.raises(HTTPException, match="Too many people"), passwords.hashing():
            pass
        spent.append(time.perf_counter() - began)

    with passwords.hashing(), passwords.hashing():
        threads = [threading.Thread(target=try_one) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(spent) == 40
    assert sum(each > 0.4 for each in spent) == 8
