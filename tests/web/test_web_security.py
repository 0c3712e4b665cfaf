"""What others got wrong (docs/security.md), on every route: queries, names, redirects, sessions, headers, tokens."""

from __future__ import annotations

import base64
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.storage import LinkPurpose, Role
from newsletter.web import recording
from newsletter.web.app import ROUTES
from newsletter.web.desk.login import forgot
from newsletter.web.desk.login import page as login
from newsletter.web.policy import ACCESS, KEY
from newsletter.web.throttle import Throttle

from .addresses import everywhere, filled
from .conftest import BASE, EARLIER, FLAGS, ISSUE, NEWSLETTER, Visitor, dump
from .test_web_accounts import PASSWORD, posted

LOOKS = tuple(name for name, (_, methods) in everywhere().items() if "GET" in methods and name != "issue_live")
"""Every route that is looked at; the events of a send have no end."""

KEYS = (
    *("page", "country", "countries", "words", "undecided", "newsletter", "status", "state", "begins", "below"),
    *("part", "width", "look", "images", "language", "lang", "id", "address", "day", "at", "number", "until", "why"),
    *("to", "next", "done", "password", "edition", "who", "what", "sort", "order", "limit", "token", "v", ""),
)
VALUES = (
    *("' OR 1=1--", "1; DROP TABLE issue", "%", "_", "\\", "\0", "\x1b", "-1", "0", "1e9", "9" * 30, "٣", "²", "NaN"),
    *("true", "null", "[]", "../..", "2026-02-30", "99:99", "0001-01-01", "9999-12-31", "CN,CN,XX", "<script>", "=1+1"),
    *("a" * 5000, "\ufffe", "\u202e", "😀", "{{7*7}}", "%s%n", "confirmed", "weekly", "JP", "2026-05-28", "asc, email"),
)
WRITTEN = st.one_of(st.sampled_from(VALUES), st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")))


def _sent_on_postgresql(folder: Path, server: str) -> Newsroom:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE fuzzed")
    environ = {"NEWSLETTER_DATABASE_URL": f"{server}/fuzzed"}
    desks.make_sample_desk(folder)
    with Newsroom.open(folder, EARLIER, environ=environ) as room:
        desks.upgrade(room)
        desks.fill_with_samples(room)
        room.accounts.add("editor@example.com", Role.EDITOR, room.clock.now())
        assert all(polled.error is None for polled in gathering.gather_all(room, list(room.plan.sources.values())))
        issues.build(room, NEWSLETTER)
        issues.approve(room, ISSUE, "chief@example.com")
        assert sending.send(room, ISSUE).balanced
    return Newsroom.open(folder, FLAGS, environ=environ)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def admin(
    request: pytest.FixtureRequest, template_desks: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    """An admin of a desk that has sent an issue, on each database."""
    folder = tmp_path_factory.mktemp("fuzzed") / "desk"
    if request.param == "sqlite":
        shutil.copytree(template_desks["sent"], folder)
        room = Newsroom.open(folder, FLAGS, environ={})
    else:
        room = _sent_on_postgresql(folder, request.getfixturevalue("postgresql"))
    with room:
        yield Visitor(room).enter(Role.ADMIN)


@pytest.fixture(scope="module")
def places(admin: Visitor) -> list[str]:
    """Every page of that desk."""
    return [filled(admin.room, name).partition("?")[0] for name in LOOKS]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, len(LOOKS) - 1),
    query=st.lists(st.tuples(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), WRITTEN), max_size=4),
)
def test_no_query_of_any_page_breaks_it(
    admin: Visitor, places: list[str], number: int, query: list[tuple[str, str | bytes]]
) -> None:
    path = places[number]
    asked = "&".join(f"{quote(key.encode('utf-8', 'replace'))}={quote(value)}" for key, value in query)
    answer = admin.http.get(f"{path}?{asked}")
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("value", ["\0", "9" * 30, "²", "' OR 1=1--"])
def test_no_key_that_a_page_reads_breaks_it(admin: Visitor, places: list[str], value: str) -> None:
    asked = "&".join(f"{key}={quote(value)}" for key in KEYS)
    for path in places:
        assert admin.http.get(f"{path}?{asked}").status_code < 500, path


def test_no_part_of_an_address_breaks_a_page(admin: Visitor) -> None:
    for path, methods, _ in ROUTES:
        if "GET" in methods and re.search(r"{(?!issue:|day:|\w+:int)", path):
            written = re.sub(r"{(?!issue:|day:|\w+:int)[^}]+}", "a%00b", path)
            written = written.replace("{issue:issue}", str(ISSUE)).replace("{day:archived}", ISSUE.day)
            assert admin.http.get(re.sub(r"{\w+:int}", "1", written)).status_code == 404, path


def test_a_form_with_a_nul_is_refused_before_anything_is_done(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.ADMIN)
    before = dump(review)
    assert visitor.order("/tokens/make", name="a\0b", role="viewer").status_code == 400
    assert visitor.order("/users/invite", email="a\0b@desk.example", role="viewer").status_code == 400
    assert dump(review) == before


NAMES = (
    *("..", ".", "../..", "../../../../etc/passwd", "/etc/passwd", "..\\..\\etc\\passwd", "%2e%2e", "..%2f..%2fetc"),
    *("....//....//etc/passwd", "..;/etc", "etc/passwd\0.png", "\0", "cn.png/../../__init__.py", "file:///etc/passwd"),
    *("CON", "~root", "${HOME}", "desk.css\0", "desk.css/", "/desk.css", "a" * 300, "‥/‥/etc", "．．/etc/passwd"),
)


def test_no_name_in_an_address_leads_out_of_its_place(sent: Newsroom) -> None:
    (sent.desk / "secret.eml").write_text("Subject: secret\r\n\r\nroot:x:0:0", encoding="utf-8")
    visitor, before = Visitor(sent).enter(Role.ADMIN), dump(sent)
    for path, methods, action in ROUTES:
        for part in re.findall(r"{(?!issue:issue|[a-z]+:int)([^}]+)}", path):
            for name in NAMES:
                for written in (quote(name, safe=""), quote(name, safe="/.%\\;")):
                    place = filled(sent, action.__name__) if "{issue:issue}" in path else path
                    place = place.replace(f"{{{part}}}", written)
                    place = re.sub(r"{[^}]+:int}", "1", re.sub(r"{(newsletter|name|source)}", NEWSLETTER, place))
                    place = re.sub(r"{[^}]+}", "2026-05-27", place)
                    fields = {"data": {"token": visitor.token}} if "GET" not in methods else {}
                    answer = visitor.http.request(methods[0], BASE + place, **fields)
                    assert answer.status_code < 500, place
                    assert "root:x:0:0" not in answer.text, place
                    assert "from __future__" not in answer.text, place
    assert dump(sent) == before


ELSEWHERE = (
    *("//evil.example", "https://evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "evil"),
    *(
        "https:evil.example",
        "http:/evil.example",
        "javascript:alert(1)",
        "///evil.example",
        "/%0d%0aset-cookie:x=1\r\n",
    ),
    *("\n//evil.example", "data:text/html,x", "@evil.example", "/ /../\\evil.example"),
)


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_login_leads_to_no_other_site(review: Newsroom, path: str) -> None:
    if review.accounts.find("anna@desk.example") is None:
        review.accounts.add("anna@desk.example", Role.EDITOR, review.clock.now(), PASSWORD)
    answer = posted(Visitor(review), "/login", email="anna@desk.example", password=PASSWORD, next=path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    answer = Visitor(review).http.get("/login", params={"next": path})
    assert 'name="next" value="/"' in answer.text


@pytest.mark.parametrize("way", ["password", "reset", "role", "disable"])
def test_every_old_session_ends(review: Newsroom, way: str) -> None:
    """With a change of the password, of the role, of who may come in at all."""
    anna = review.accounts.add("anna@desk.example", Role.EDITOR, review.clock.now(), PASSWORD)
    secrets = [review.accounts.open_session(anna, review.clock.now()) for _ in range(3)]
    admin, own = Visitor(review).enter(Role.ADMIN), Visitor(review)
    own.account, own.secret = anna, secrets[0]
    own.http.cookies.set("newsletter-session", own.secret)
    assert own.http.get("/account").status_code == 200
    match way:
        case "password":
            changed = own.order("/account/password", password=PASSWORD, new="a stapler made of brass")
        case "reset":
            link = filled(review, "password").rpartition("/")[0]
            token = review.accounts.make_link(anna, LinkPurpose.PASSWORD, review.clock.now() + timedelta(hours=1))
            changed = Visitor(review).http.post(f"{link}/{token}", data={"new": "a stapler made of brass"})
        case "role":
            changed = admin.order(f"/users/{anna.id}/role", role="viewer")
        case _:
            changed = admin.order(f"/users/{anna.id}/disable")
    assert changed.status_code in (200, 303)
    for secret in secrets:
        old = Visitor(review)
        old.http.cookies.set("newsletter-session", secret)
        assert old.http.get("/account").status_code == 401, way


@pytest.mark.alone
@pytest.mark.parametrize("path", ["/login", "/forgot"])
def test_text_and_time_tell_nothing_about_who_has_an_account(
    review: Newsroom, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, names in (
        (login, ("_throttle",)),
        (forgot, ("_addresses", "_networks")),
        (recording, ("_failed_lines",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, Throttle(10_000, 60.0))
    review.accounts.add("anna@desk.example", Role.EDITOR, review.clock.now(), PASSWORD)
    visitor = Visitor(review)
    (token,) = re.findall(r'name="token" value="([0-9a-f]+)"', visitor.http.get(path).text)

    def asked(email: str) -> tuple[float, int, str]:
        began = time.perf_counter()
        answer = visitor.http.post(path, data={"token": token, "email": email, "password": "a wrong one"})
        return time.perf_counter() - began, answer.status_code, answer.text.replace(email, "EMAIL")

    for _ in range(5):
        known, unknown = [], []
        for _ in range(40):
            known.append(asked("anna@desk.example"))
            unknown.append(asked("emma@desk.example"))
        assert {each[1:] for each in known} == {each[1:] for each in unknown}
        ratio = statistics.median(each[0] for each in known) / statistics.median(each[0] for each in unknown)
        if 0.9 < ratio < 1.1:
            return
    pytest.fail(f"a known address takes {ratio:.2f} times as long as an unknown one")


def test_every_answer_carries_the_headers(sent: Newsroom) -> None:
    """Pages, mails, files, errors, refusals, whoever asks."""
    for visitor in (Visitor(sent), Visitor(sent).enter(Role.VIEWER), Visitor(sent).enter(Role.ADMIN)):
        for name, (_, methods) in everywhere().items():
            if name == "issue_live":
                continue
            for method in ("GET", "POST", "DELETE"):
                path = filled(sent, name)
                answer = visitor.http.request(method, path if method in methods else path + "/nothing")
                headers = answer.headers
                policy = headers["content-security-policy"]
                assert policy.startswith("default-src 'none';"), path
                assert re.search("frame-ancestors '(none|self)'", policy), path
                assert "unsafe-eval" not in policy, path
                assert "script-src" not in policy or "script-src 'self';" in f"{policy};", path
                assert headers["x-content-type-options"] == "nosniff", path
                assert headers["x-frame-options"] in ("DENY", "SAMEORIGIN"), path
                assert headers["referrer-policy"] in ("no-referrer", "same-origin"), path
                if answer.status_code >= 400 or isinstance(ACCESS[name], Role) or ACCESS[name] is KEY:
                    assert headers["x-robots-tag"] == "noindex", path
                    assert headers["cache-control"] == "no-store", path


def test_public_tokens_are_long_and_found_by_no_search_engine(sent: Newsroom) -> None:
    for name, (path, _) in everywhere().items():
        if "TOKEN" not in path:
            continue
        address = filled(sent, name)
        token = address.split("/")[3 if name == "login_link" else 2]
        if token != "over":
            secret = token.split(".")[-1]
            assert len(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))) * 8 >= 112, name
        assert Visitor(sent).http.get(address).headers["x-robots-tag"] == "noindex", name


def test_secrets_of_sessions_and_programs_are_long(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.ADMIN)
    (made,) = re.findall(r"newsdesk_([\w-]+)", visitor.order("/tokens/make", name="x", role="viewer").text)[:1]
    for secret in (visitor.secret, made):
        assert len(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))) * 8 >= 112
