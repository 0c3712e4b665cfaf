"""The desk's people: invited, changed, kept out; their passwords and sessions."""

from __future__ import annotations

import email
import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa

from newsletter.newsroom import Newsroom
from newsletter.newsroom.people import account_mail, accounts, telling
from newsletter.storage import Account, LinkPurpose, Role

from .conftest import Visitor, dump

PASSWORD, ANOTHER = "correct horse battery", "a stapler made of brass"


def mails(room: Newsroom) -> list[EmailMessage]:
    """What the clock has mailed about accounts, in no order."""
    telling.tell(room)
    files = sorted(account_mail.outbox_of_accounts(room).glob("*.eml"))
    return [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]


def link_in(mail: EmailMessage) -> str:
    """The path of the link that a mail brings."""
    body = mail.get_body(("plain",))
    assert body is not None
    return re.findall(r"https?://[^/\s]+(/password/\S+)", body.get_content())[0]


def posted(visitor: Visitor, path: str, **fields: str):
    """A form for everybody, posted from its own page."""
    (token,) = re.findall(r'name="token" value="([0-9a-f]+)"', visitor.http.get(path).text)
    return visitor.http.post(path, data={"token": token, **fields})


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


@pytest.fixture
def anna(review: Newsroom) -> Account:
    return review.accounts.add("anna@desk.example", Role.EDITOR, review.clock.now(), PASSWORD)


def test_an_invitation_leads_to_a_password_and_in(admin: Visitor) -> None:
    room = admin.room
    asked = admin.order("/users/invite", email=" New@Desk.Example ", role="editor")
    assert asked.headers["location"] == "/users?done=mailed"
    assert "invited" in admin.http.get("/users").text
    (mail,) = mails(room)
    assert (mail["To"], mail["From"].addresses[0].display_name) == ("new@desk.example", "Newsdesk")
    assert mail["Auto-Submitted"] == "auto-generated"
    path = link_in(mail)
    guest = Visitor(room)
    before = dump(room)
    for method in ("GET", "HEAD", "GET"):
        page = guest.http.request(method, path)
        assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
    assert dump(room) == before, "programs that scan mail open every link"
    assert guest.http.post(path, data={"new": "too short"}).status_code == 422
    assert guest.http.post(path, data={"new": PASSWORD}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    done = guest.http.post(path, data={"new": PASSWORD}, headers={"origin": "null", "sec-fetch-site": "same-origin"})
    assert done.headers["location"] == "/login?password=set"
    assert guest.http.post(path, data={"new": ANOTHER}).status_code == 404, "once"
    assert posted(guest, "/login", email="new@desk.example", password=PASSWORD).headers["location"] == "/"
    assert room.accounts.find("new@desk.example").role is Role.EDITOR


def test_no_link_lies_in_the_database_and_no_screen_shows_these_mails(admin: Visitor) -> None:
    admin.order("/users/invite", email="new@desk.example", role="editor")
    (mail,) = mails(admin.room)
    token = link_in(mail).rpartition("/")[2]
    assert token not in "".join(dump(admin.room))
    for path in ("/outbox", "/outbox/accounts/x", "/outbox/accounts/.", "/outbox/accounts/%2e"):
        assert "new@desk.example" not in admin.http.get(path).text, "an editor may look at the outbox"


def test_a_link_ends_with_its_time_and_with_the_account(admin: Visitor, anna: Account) -> None:
    room, now = admin.room, admin.room.clock.now()
    old = room.accounts.make_link(anna, LinkPurpose.PASSWORD, now - timedelta(seconds=1))
    kept_out = room.accounts.make_link(anna, LinkPurpose.PASSWORD, now + timedelta(hours=1))
    other = room.accounts.make_login_link(anna, now)
    admin.order(f"/users/{anna.id}/disable")
    for token in (old, kept_out, other, "x" * 32, "a.b", "%00"):
        answer = Visitor(room).http.post(f"/password/{token}", data={"new": ANOTHER})
        assert answer.status_code == 404, token
    assert room.accounts.check_password(anna.email, ANOTHER) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [("anna@desk.example", "has an account already"), ("nobody", "such as anna@example.com"), ("a@b\r\nBcc: c@d", "")],
)
def test_who_cannot_be_invited_is_said(admin: Visitor, anna: Account, address: str, words: str) -> None:
    answer = admin.order("/users/invite", email=address, role="editor")
    assert answer.status_code == 422
    assert words in answer.text
    assert admin.order("/users/invite", email="x@desk.example", role="owner").status_code == 422
    assert mails(admin.room) == []


def test_a_mail_that_may_not_leave_is_said_on_the_screen(open_desk: Callable[..., Newsroom]) -> None:
    room = open_desk("review", smtp_url="smtp://127.0.0.1:9?starttls=never")
    admin = Visitor(room).enter(Role.ADMIN)
    admin.order("/users/invite", email="new@desk.example", role="editor")
    telling.tell(room)
    assert "NEWSLETTER_TEST_ALLOW" in admin.http.get("/users").text


VOIDED: dict[str, Callable[[Visitor, Visitor], object]] = {
    "role": lambda admin, anna: admin.order(f"/users/{anna.account.id}/role", role="viewer"),
    "a greater role": lambda admin, anna: admin.order(f"/users/{anna.account.id}/role", role="approver"),
    "disable": lambda admin, anna: admin.order(f"/users/{anna.account.id}/disable"),
    "second factor": lambda admin, anna: admin.order(f"/users/{anna.account.id}/totp"),
    "password": lambda admin, anna: anna.order("/account/password", password=PASSWORD, new=ANOTHER),
    "reset": lambda admin, anna: reset(anna),
    "all others": lambda admin, anna: second_browser(anna).order("/account/sessions/end", all="yes"),
}


def reset(anna: Visitor) -> None:
    posted(Visitor(anna.room), "/forgot", email=anna.account.email)
    path = link_in(mails(anna.room)[0])
    assert Visitor(anna.room).http.post(path, data={"new": ANOTHER}).status_code == 303


def second_browser(anna: Visitor) -> Visitor:
    other = Visitor(anna.room, "198.51.100.4")
    other.account = anna.account
    return other.renew()


@pytest.mark.parametrize("how", VOIDED)
def test_every_old_session_is_void_after(admin: Visitor, anna: Account, how: str) -> None:
    room = admin.room
    browsers = [Visitor(room), Visitor(room)]
    for browser in browsers:
        browser.account = anna
        browser.renew()
        assert browser.http.get("/account").status_code == 200
    old = [browser.secret for browser in browsers]
    VOIDED[how](admin, browsers[0])
    for secret in old:
        visitor = Visitor(room)
        visitor.http.cookies.set("newsletter-session", secret)
        assert visitor.http.get("/account").status_code == 401
        assert room.accounts.session_account(secret, room.clock.now()) is None


def test_a_login_link_of_the_old_role_is_void_too(admin: Visitor, anna: Account) -> None:
    room = admin.room
    link = room.accounts.make_login_link(anna, room.clock.now())
    admin.order(f"/users/{anna.id}/role", role="admin")
    assert Visitor(room).http.post(f"/login/link/{link}").status_code == 404


def test_who_changes_their_password_stays_in_under_a_new_secret(review: Newsroom, anna: Account) -> None:
    browser = Visitor(review)
    browser.account = anna
    browser.renew()
    assert browser.order("/account/password", password="wrong", new=ANOTHER).status_code == 422
    assert browser.order("/account/password", password=PASSWORD, new="annaannaanna").status_code == 422
    assert review.accounts.check_password(anna.email, PASSWORD) == anna, "nothing was changed"
    answer = browser.order("/account/password", password=PASSWORD, new=ANOTHER)
    assert answer.headers["location"] == "/account?done=password"
    cookie = re.findall("newsletter-session=([^;]+)", answer.headers["set-cookie"])[0]
    assert cookie != browser.secret
    browser.http.cookies.clear()
    browser.http.cookies.set("newsletter-session", cookie)
    assert "Your password is changed" in browser.http.get("/account?done=password").text
    assert [mail["Subject"] for mail in mails(review)] == ["Newsdesk: your password was changed"]


def test_guessing_the_present_password_from_an_open_session_is_braked(review: Newsroom, anna: Account) -> None:
    browser = Visitor(review)
    browser.account = anna
    browser.renew()
    for _ in range(5):
        assert browser.order("/account/password", password="wrong", new=ANOTHER).status_code == 422
    refused = browser.order("/account/password", password=PASSWORD, new=ANOTHER)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaaaaaa", "password12345", "annannannann", "x" * 1001])
def test_passwords_that_are_guessed_first_are_refused(weak: str) -> None:
    from newsletter.errors import InputError

    with pytest.raises(InputError):
        accounts.check_new_password(weak, "anna@desk.example")


def test_sessions_are_listed_and_ended_by_their_owner_alone(review: Newsroom, anna: Account) -> None:
    here, there = Visitor(review), Visitor(review)
    there.http.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    posted(there, "/login", email=anna.email, password=PASSWORD)
    here.account = anna
    here.renew()
    page = here.http.get("/account").text
    assert "Firefox, Windows" in page
    assert "192.0.2.7" in page
    (key,) = set(re.findall(r'name="session" value="([0-9a-f]{64})"', page))
    stranger = Visitor(review).enter(Role.ADMIN)
    assert stranger.order("/account/sessions/end", session=key).status_code == 404
    assert there.http.get("/account").status_code == 200
    assert here.order("/account/sessions/end", session=key).status_code == 303
    assert there.http.get("/account").status_code == 401
    visitor = Visitor(review)
    visitor.http.cookies.set("newsletter-session", key)
    assert visitor.http.get("/account").status_code == 401, "the key that a page shows opens nothing"


def test_a_desk_keeps_an_admin(review: Newsroom) -> None:
    first = review.accounts.find("editor@example.com")
    only = Visitor(review)
    only.account = first
    only.renew()
    assert only.order(f"/users/{first.id}/role", role="viewer").status_code == 409
    assert only.order(f"/users/{first.id}/disable").status_code == 409
    assert only.order("/users/999/disable").status_code == 404
    assert only.http.get("/users").status_code == 200
    second = Visitor(review).enter(Role.ADMIN)
    assert second.order(f"/users/{first.id}/disable").status_code == 303
    assert only.http.get("/users").status_code == 401
    assert second.order(f"/users/{first.id}/enable").status_code == 303
    assert second.order(f"/users/{first.id}/enable").status_code == 409


def test_a_disabled_account_does_not_log_in_and_says_nothing_about_it(admin: Visitor, anna: Account) -> None:
    wrong = posted(Visitor(admin.room), "/login", email=anna.email, password="wrong")
    admin.order(f"/users/{anna.id}/disable")
    right = posted(Visitor(admin.room), "/login", email=anna.email, password=PASSWORD)
    assert right.status_code == wrong.status_code == 401
    assert bare(right.text) == bare(wrong.text)


def bare(page: str) -> str:
    return re.sub(r'name="token" value="\w+"', "", page)


@pytest.mark.parametrize("path", ["/forgot", "/login"])
def test_no_form_tells_who_has_an_account(review: Newsroom, anna: Account, path: str) -> None:
    """The same status, headers and page for a known, an unknown and a disabled address; the same work behind it."""
    off = review.accounts.add("off@desk.example", Role.VIEWER, review.clock.now(), PASSWORD)
    review.accounts.disable(off.id, review.clock.now())
    answers, work = {}, {}
    for address in (anna.email, off.email, "none@desk.example"):
        visitor, done = Visitor(review), []

        def note(_connection, _cursor, statement, *_rest, done=done) -> None:
            done.append(statement)

        sa.event.listen(review.database.engine, "before_cursor_execute", note)
        answer = posted(visitor, path, email=address, password="wrong")
        sa.event.remove(review.database.engine, "before_cursor_execute", note)
        headers = {
            name: value for name, value in answer.headers.items() if name not in ("set-cookie", "content-length")
        }
        answers[address] = answer.status_code, headers, bare(answer.text).replace(address, "")
        work[address] = done
    assert answers[anna.email] == answers[off.email] == answers["none@desk.example"]
    assert work[anna.email] == work[off.email] == work["none@desk.example"]
    assert [mail["To"] for mail in mails(review)] == ([anna.email] if path == "/forgot" else [])


def test_forgetting_is_braked_per_address_and_per_network_whatever_a_header_says(review: Newsroom) -> None:
    for number in range(3):
        assert posted(Visitor(review, f"192.0.2.{number}"), "/forgot", email="anna@desk.example").status_code == 200
    refused = posted(Visitor(review, "192.0.2.99"), "/forgot", email=" Anna@desk.example")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    visitor = Visitor(review, "198.51.100.1")
    for number in range(20):
        visitor.http.headers["x-forwarded-for"] = f"203.0.113.{number}"
        visitor.http.headers["forwarded"] = f"for=203.0.113.{number}"
        assert posted(visitor, "/forgot", email=f"{number}@desk.example").status_code == 200
    assert posted(visitor, "/forgot", email="one-more@desk.example").status_code == 429


def test_a_form_to_forget_by_needs_its_own_page(review: Newsroom) -> None:
    before = dump(review)
    assert Visitor(review).http.post("/forgot", data={"email": "editor@example.com"}).status_code == 403
    visitor = Visitor(review)
    visitor.http.headers["sec-fetch-site"] = "cross-site"
    assert posted(visitor, "/forgot", email="editor@example.com").status_code == 403
    assert dump(review) == before


@pytest.mark.parametrize(
    "next_path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nothing_leads_to_another_site(review: Newsroom, anna: Account, next_path: str) -> None:
    answer = posted(Visitor(review), "/login", email=anna.email, password=PASSWORD, next=next_path)
    assert answer.headers["location"] == "/"
    admin = Visitor(review).enter(Role.ADMIN)
    review.accounts.set_password(admin.account.id, PASSWORD)  # type: ignore[union-attr]
    begun = admin.renew().order("/account/totp/begin", next=next_path, password=PASSWORD)
    for page in (
        admin.http.get("/account/totp", params={"next": next_path}).text,
        admin.http.get(begun.headers["location"]).text,
    ):
        assert "evil" not in page
        assert "javascript" not in page
