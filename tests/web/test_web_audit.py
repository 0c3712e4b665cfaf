"""The audit log: a line for everything that was done, none for what was refused, no secret in any."""

from __future__ import annotations

import re

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.people import account_mail
from newsletter.storage import Account, AuditLine, Role

from .conftest import ISSUE, Visitor, dump
from .test_web_accounts import ANOTHER, PASSWORD, posted, reset
from .test_web_policy import ORDERS, PLACES


def told(room: Newsroom, **asked: str) -> list[tuple[str, str, str, str]]:
    """Kind, who, what and remark of each line, the earliest first."""
    return [(line.kind, line.who, line.what, line.remark) for line in reversed(room.audit.lines(**asked))]


@pytest.fixture
def anna(review: Newsroom) -> Account:
    return review.accounts.add("anna@desk.example", Role.EDITOR, review.clock.now(), PASSWORD)


def test_a_days_orders_are_lines(review: Newsroom, anna: Account) -> None:
    admin = Visitor(review).enter(Role.ADMIN)
    admin.order("/users/invite", email="new@desk.example", role="viewer")
    admin.order(f"/users/{anna.id}/role", role="approver")
    admin.order(f"/issues/{ISSUE}/approve", revision="1")
    admin.order("/tokens/make", name="Board", role="viewer")
    admin.order("/tokens/1/revoke")
    admin.order("/logout")
    who = "admin@desk.example"
    assert told(review) == [
        ("user_invite", who, "", "new@desk.example, viewer"),
        ("user_role", who, "anna@desk.example", "editor → approver"),
        ("issue_approve", who, str(ISSUE), ""),
        ("token_make", who, "", "Board, viewer"),
        ("token_revoke", who, "1", "Board"),
        ("logout", who, "", ""),
    ]
    line = review.audit.lines()[0]
    assert (line.client, line.account_id, line.at) == ("192.0.2.7", admin.account.id, line.at)


def test_ways_in_are_lines_and_a_stranger_is_not_named(review: Newsroom, anna: Account) -> None:
    posted(Visitor(review), "/login", email=anna.email, password="wrong")
    posted(Visitor(review), "/login", email="my secret password", password="x")
    posted(Visitor(review), "/login", email=anna.email, password=PASSWORD)
    link = review.accounts.make_login_link(anna, review.clock.now())
    Visitor(review).http.post(f"/login/link/{link}")
    posted(Visitor(review), "/forgot", email="nobody@desk.example")
    browser = Visitor(review)
    browser.account = anna
    reset(browser)
    assert told(review) == [
        ("login_failed", anna.email, "", "wrong password"),
        ("login_failed", "unknown address", "", "wrong password"),
        ("login", anna.email, "", ""),
        ("login", anna.email, "", "by a login link"),
        ("forgot", "unknown address", "", ""),
        ("forgot", anna.email, "", ""),
        ("password", anna.email, "", ""),
    ]
    kept = "".join(dump(review))
    assert not [secret for secret in ("my secret", PASSWORD, ANOTHER, link, "nobody@") if secret in kept]


def test_what_was_refused_is_no_line(review: Newsroom) -> None:
    viewer, admin = Visitor(review).enter(Role.VIEWER), Visitor(review).enter(Role.ADMIN)
    for name in ORDERS:
        Visitor(review).http.post(PLACES[name])
        admin.http.post(PLACES[name], data={"token": "wrong"})
        if name not in ("logout", "account_session_end", "account_totp_begin"):
            viewer.order(PLACES[name])
    admin.order(f"/issues/{ISSUE}/approve", revision="99")
    admin.order("/users/1/role", role="owner")
    assert told(review) == []


def test_looking_is_no_line(review: Newsroom) -> None:
    admin = Visitor(review).enter(Role.ADMIN)
    for path in ("/", "/users", "/audit", "/settings", "/account", "/tokens", f"/issues/{ISSUE}"):
        assert admin.http.get(path).status_code == 200
    assert told(review) == []


def test_a_flood_of_failed_logins_does_not_fill_the_disk(review: Newsroom) -> None:
    for number in range(130):
        posted(Visitor(review), "/login", email=f"{number}@desk.example", password="x")
    assert len(review.audit.lines(limit=1000)) == 100


def test_the_log_is_filtered_and_paged(review: Newsroom) -> None:
    now = review.clock.now()
    for number in range(150):
        who, kind = f"p{number % 2}@desk.example", ("login", "issue_approve")[number % 3 == 0]
        review.audit.write(AuditLine(at=now, kind=kind, who=who, remark=f"no. {number}."))
    admin = Visitor(review).enter(Role.ADMIN)

    def shown(address: str) -> list[int]:
        return [int(number) for number in re.findall(r"no\. (\d+)\.", admin.http.get(address).text)]

    assert shown("/audit") == list(range(149, 49, -1))
    assert shown("/audit?page=2") == list(range(49, -1, -1))
    assert shown("/audit?page=9") == []
    assert shown("/audit?who=p1@desk.example") == list(range(149, 0, -2))
    assert shown("/audit?kind=issue_approve") == list(range(147, -1, -3))
    assert shown("/audit?who=p1@desk.example&kind=issue_approve") == list(range(147, -1, -6))
    assert shown("/audit?kind=' OR 1=1 --") == []
    assert 'href="/audit?who=p1%40desk.example&amp;page=2"' not in admin.http.get("/audit?who=p1@desk.example").text


def test_text_in_the_log_is_inert(review: Newsroom) -> None:
    review.audit.write(AuditLine(at=review.clock.now(), kind="<i>", who="<script>x</script>", remark="<b onload=x>"))
    page = Visitor(review).enter(Role.ADMIN).http.get("/audit").text
    assert "<script>x" not in page
    assert "<b onload" not in page


def test_settings_are_shown_with_their_origin_and_without_secrets(review: Newsroom) -> None:
    page = Visitor(review).enter(Role.ADMIN).http.get("/settings").text
    secret = review.settings.secret_key[0]
    assert secret not in page
    for row in review.settings.table():
        assert row["variable"] in page
    assert "command line" in page
    assert ".env" in page


def test_mails_about_accounts_lie_apart(review: Newsroom) -> None:
    admin = Visitor(review).enter(Role.ADMIN)
    admin.order("/users/invite", email="new@desk.example", role="viewer")
    account_mail.carry(review)
    assert len(list(account_mail.outbox_of_accounts(review).glob("*.eml"))) == 1
    assert "accounts" not in re.findall(r'href="/outbox/([^"/]+)', admin.http.get("/outbox").text)
