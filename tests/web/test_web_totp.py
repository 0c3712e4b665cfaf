"""The second factor: set up, asked for, braked, lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.people import second_factor, totp
from newsletter.storage import Account, LinkPurpose, Role
from newsletter.web.desk.login import code as login_code

from .conftest import Visitor, dump
from .test_web_accounts import PASSWORD, posted

START = 1_800_000_000.0


class Telephone:
    """The clock of an authenticator app, which the test turns on."""

    def __init__(self) -> None:
        self.seconds = START
        self.secret = ""

    def code(self, later: int = 0) -> str:
        return totp.code_at(self.secret, int(self.seconds) // 30 + later)


@pytest.fixture
def telephone(monkeypatch: pytest.MonkeyPatch) -> Telephone:
    made = Telephone()
    monkeypatch.setattr(second_factor, "_seconds", lambda: made.seconds)
    return made


@pytest.fixture
def boss(review: Newsroom) -> Account:
    return review.accounts.add("boss@desk.example", Role.ADMIN, review.clock.now(), PASSWORD)


def as_(room: Newsroom, account: Account) -> Visitor:
    visitor = Visitor(room)
    visitor.account = account
    return visitor.renew()


def set_up(room: Newsroom, account: Account, telephone: Telephone) -> list[str]:
    """Set it up through the screens; returns the recovery codes."""
    visitor = as_(room, account)
    assert visitor.order("/account/totp/begin", password=PASSWORD).status_code == 303
    page = visitor.http.get("/account/totp").text
    telephone.secret = re.findall(r"secret=([A-Z2-7]{32})", page)[0]
    assert "<svg" in page
    assert "otpauth://totp/Newsdesk" in page
    shown = visitor.order("/account/totp/confirm", code=telephone.code()).text
    assert room.accounts.find(account.email).has_totp
    telephone.seconds += 30
    return re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", shown)


def step_of(visitor: Visitor, email: str) -> dict[str, str]:
    """The hidden fields of the question for a code."""
    page = posted(visitor, "/login", email=email, password=PASSWORD)
    assert (page.status_code, "newsletter-session" in page.headers.get("set-cookie", "")) == (200, False)
    return dict(re.findall(r'name="(token|step|next)" value="([^"]*)"', page.text))


def test_an_admin_without_it_is_led_there_and_may_go_on(review: Newsroom, boss: Account) -> None:
    visitor = Visitor(review)
    answer = posted(visitor, "/login", email=boss.email, password=PASSWORD, next="/stories?country=JP")
    assert answer.headers["location"] == "/account/totp?next=%2Fstories%3Fcountry%3DJP"
    assert 'href="/stories?country=JP">Not now' in visitor.http.get(answer.headers["location"]).text
    assert visitor.http.get("/users").status_code == 200


def test_screens_remind_an_admin_on_a_desk_that_others_reach(open_desk: Callable[..., Newsroom]) -> None:
    here, out = open_desk("review"), open_desk("review", base_url="https://news.example.com")
    for room, name, reminded in ((here, "newsletter-session", False), (out, "__Host-newsletter-session", True)):
        for role in (Role.ADMIN, Role.APPROVER):
            visitor = Visitor(room).enter(role)
            visitor.http.cookies.set(name, visitor.secret)
            page = visitor.http.get("/stories").text
            assert ("a password alone guards it" in page) == (reminded and role is Role.ADMIN)


def test_the_login_asks_for_a_code_and_takes_each_once(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    set_up(review, boss, telephone)
    visitor = Visitor(review)
    fields = step_of(visitor, boss.email)
    assert visitor.http.get("/").status_code == 401, "the password alone opens nothing"
    code = telephone.code()
    wrong = visitor.http.post("/login/code", data=fields | {"code": "000000" if code != "000000" else "111111"})
    assert wrong.status_code == 401
    right = visitor.http.post("/login/code", data=fields | {"code": f"{code[:3]} {code[3:]}"})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    assert visitor.http.get("/users").status_code == 200
    again = Visitor(review)
    for seen in (code, telephone.code(-1)):
        replayed = again.http.post("/login/code", data=step_of(again, boss.email) | {"code": seen})
        assert replayed.status_code == 401, "a code that was taken, or one before it, is taken no more"
    telephone.seconds += 30
    assert (
        again.http.post("/login/code", data=step_of(again, boss.email) | {"code": telephone.code()}).status_code == 303
    )


def test_the_code_that_set_it_up_does_not_log_in(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    set_up(review, boss, telephone)
    visitor = Visitor(review)
    first = telephone.code(-1)
    assert visitor.http.post("/login/code", data=step_of(visitor, boss.email) | {"code": first}).status_code == 401


def test_clocks_may_differ_by_one_step_and_no_more(telephone: Telephone) -> None:
    telephone.secret = totp.new_secret()
    taken = [
        later
        for later in range(-4, 5)
        if totp.matching_step(telephone.secret, telephone.code(later), telephone.seconds) is not None
    ]
    assert taken == [-1, 0, 1]


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, the last six of the eight digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    vectors = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
    assert {at: totp.code_at(secret, at // 30) for at in vectors} == vectors


def test_tries_are_braked_per_account_whatever_the_network(
    review: Newsroom, boss: Account, telephone: Telephone
) -> None:
    set_up(review, boss, telephone)
    for number in range(login_code.FAILURES):
        visitor = Visitor(review, f"192.0.2.{number}")
        answer = visitor.http.post("/login/code", data=step_of(visitor, boss.email) | {"code": "abc"})
        assert answer.status_code == 401
    visitor = Visitor(review, "198.51.100.9")
    refused = visitor.http.post("/login/code", data=step_of(visitor, boss.email) | {"code": telephone.code()})
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0


def test_a_recovery_code_logs_in_once_and_lies_nowhere(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    codes = set_up(review, boss, telephone)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    kept = "".join(dump(review))
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]
    assert telephone.secret not in kept, "the secret is sealed"
    visitor = Visitor(review)
    shown = codes[3].upper().replace("-", " ")
    assert visitor.http.post("/login/code", data=step_of(visitor, boss.email) | {"code": shown}).status_code == 303
    other = Visitor(review)
    assert other.http.post("/login/code", data=step_of(other, boss.email) | {"code": codes[3]}).status_code == 401
    assert "9 recovery codes are left" in visitor.http.get("/account").text


def test_new_recovery_codes_void_the_old(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    old = set_up(review, boss, telephone)
    visitor = as_(review, boss)
    assert visitor.order("/account/totp/codes", password="wrong").status_code == 422
    page = visitor.order("/account/totp/codes", password=PASSWORD).text
    new = re.findall(r"<code>([a-z2-9-]{19})</code>", page)
    assert len(new) == second_factor.RECOVERY_CODES
    assert not set(new) & set(old)
    assert not second_factor.accepts(review, boss, old[0])
    assert second_factor.accepts(review, boss, new[0])


def test_giving_it_up_needs_the_password_and_ends_every_session(
    review: Newsroom, boss: Account, telephone: Telephone
) -> None:
    codes = set_up(review, boss, telephone)
    visitor, other = as_(review, boss), as_(review, boss)
    assert visitor.order("/account/totp/end", password="wrong").status_code == 422
    assert visitor.order("/account/totp/begin").status_code == 409, "no secret is put in the place of one in use"
    assert review.accounts.find(boss.email).has_totp
    assert visitor.order("/account/totp/end", password=PASSWORD).headers["location"] == "/account"
    assert other.http.get("/").status_code == 401
    assert not second_factor.accepts(review, boss, codes[0])
    assert posted(Visitor(review), "/login", email=boss.email, password=PASSWORD).status_code == 303


def test_an_admin_frees_who_lost_it_but_not_themselves(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    set_up(review, boss, telephone)
    assert as_(review, boss).order(f"/users/{boss.id}/totp").status_code == 409
    assert Visitor(review).enter(Role.APPROVER).order(f"/users/{boss.id}/totp").status_code == 403
    assert review.accounts.find(boss.email).has_totp
    assert Visitor(review).enter(Role.ADMIN).order(f"/users/{boss.id}/totp").status_code == 303
    assert not review.accounts.find(boss.email).has_totp


def test_a_step_is_of_its_own_browser_and_ends_in_time(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    set_up(review, boss, telephone)
    visitor = Visitor(review)
    fields = step_of(visitor, boss.email) | {"code": telephone.code()}
    assert Visitor(review).http.post("/login/code", data=fields).status_code == 403
    visitor.http.headers["sec-fetch-site"] = "cross-site"
    assert visitor.http.post("/login/code", data=fields).status_code == 403
    del visitor.http.headers["sec-fetch-site"]
    for other in (
        review.accounts.make_link(boss, LinkPurpose.CODE, review.clock.now()),
        review.accounts.make_login_link(boss, review.clock.now()),
        review.accounts.open_session(boss, review.clock.now()),
        "",
    ):
        assert visitor.http.post("/login/code", data=fields | {"step": other}).status_code == 401
    review.accounts.set_password(boss.id, PASSWORD)
    assert visitor.http.post("/login/code", data=fields).status_code == 401, "a new password voids it"


def test_a_first_code_that_is_wrong_sets_nothing_up(review: Newsroom, boss: Account, telephone: Telephone) -> None:
    visitor = as_(review, boss)
    assert visitor.order("/account/totp/confirm", code="123456").status_code == 409
    visitor.order("/account/totp/begin", password=PASSWORD)
    assert visitor.order("/account/totp/confirm", code="").status_code == 422
    assert not review.accounts.find(boss.email).has_totp
    assert posted(Visitor(review), "/login", email=boss.email, password=PASSWORD).status_code == 303


def test_a_lost_key_is_explained(open_desk: Callable[..., Newsroom], telephone: Telephone) -> None:
    room = open_desk("review", secret_key="first")
    boss = room.accounts.add("boss@desk.example", Role.ADMIN, room.clock.now(), PASSWORD)
    set_up(room, boss, telephone)
    object.__setattr__(room.settings, "secret_key", ("second", "first"))
    assert second_factor.accepts(room, boss, telephone.code()), "an old key behind the new one goes on"
    telephone.seconds += 30
    object.__setattr__(room.settings, "secret_key", ("second",))
    visitor = Visitor(room)
    answer = visitor.http.post("/login/code", data=step_of(visitor, boss.email) | {"code": telephone.code()})
    assert answer.status_code == 503
    assert "key" not in answer.text, "what is wrong with the desk is nobody's business before the login"


def test_setting_it_up_needs_the_password_once_more(review: Newsroom, boss: Account) -> None:
    """Whoever sits before an open session must not lock its owner out."""
    visitor = as_(review, boss)
    for wrong in ({}, {"password": "wrong"}):
        refused = visitor.order("/account/totp/begin", **wrong)
        assert refused.status_code == 422
        assert "That is not your password" in refused.text
        assert "otpauth" not in visitor.http.get("/account/totp").text
    assert visitor.order("/account/totp/begin", password=PASSWORD).status_code == 303
    assert "otpauth" in visitor.http.get("/account/totp").text
    for _ in range(5):
        visitor.order("/account/totp/begin", password="wrong")
    assert visitor.order("/account/totp/begin", password=PASSWORD).status_code == 429


def test_without_a_password_there_is_nothing_to_stand_beside(review: Newsroom) -> None:
    visitor = Visitor(review).enter(Role.ADMIN)
    assert "Set one first" in visitor.http.get("/account/totp").text
    assert visitor.order("/account/totp/begin", password="").status_code == 422
