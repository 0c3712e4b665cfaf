"""Accounts in a real browser, without JavaScript: from an invitation to a second factor."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.people import account_mail, totp
from newsletter.storage import Role

from .browsing import faults, served
from .test_web_accounts import PASSWORD


@pytest.fixture
def address(review: Newsroom) -> Iterator[str]:
    with served(review) as where:
        yield where


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page of its own browser context."""
    contexts = []

    def open_page(**choices: Any) -> Any:
        contexts.append(browser.new_context(**choices))
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


def enter(room: Newsroom, page: Any, address: str, email: str) -> None:
    account = room.accounts.find(email)
    page.goto(f"{address}/login/link/{room.accounts.make_login_link(account, room.clock.now())}")


def carried(room: Newsroom) -> str:
    """The link in the mail that the clock carries, in a thread of its own: the driver holds this one's event loop."""
    with ThreadPoolExecutor(1) as apart:
        apart.submit(account_mail.carry, room).result(60)
    (mail,) = account_mail.outbox_of_accounts(room).glob("*.eml")
    return re.findall(r"/password/[\w-]{32}", mail.read_text(encoding="utf-8"))[0]


def test_from_an_invitation_to_a_second_factor(review: Newsroom, address: str, opened: Callable[..., Any]) -> None:
    admin, guest = opened(java_script_enabled=False), opened(java_script_enabled=False)
    enter(review, admin, address, "editor@example.com")
    admin.goto(f"{address}/users")
    admin.fill("input[name=email]", "new@desk.example")
    admin.select_option(".row select[name=role] >> nth=0", "admin")
    admin.click("text=Invite")
    assert "A mail with a link leaves" in admin.inner_text("main")
    guest.goto(address + carried(review))
    guest.fill("input[name=new]", PASSWORD)
    guest.click("text=Set the password")
    assert "Your password is set" in guest.inner_text("main")
    guest.fill("input[name=email]", "new@desk.example")
    guest.fill("input[name=password]", PASSWORD)
    guest.click("button")
    guest.fill("input[name=password]", PASSWORD)
    guest.click("text=Set it up")
    secret = guest.inner_text("code.secret").replace(" ", "")
    guest.fill("input[name=code]", totp.code_at(secret, int(time.time()) // 30))
    guest.click("text=Ask for codes from now on")
    codes = guest.locator(".codes code").all_inner_texts()
    guest.click("text=I have kept them")
    guest.click("text=Log out")
    guest.fill("input[name=email]", "new@desk.example")
    guest.fill("input[name=password]", PASSWORD)
    guest.click("button")
    guest.fill("input[name=code]", codes[0])
    guest.click("button")
    assert guest.url == f"{address}/"
    admin.goto(f"{address}/users")
    admin.click("text=Change new@desk.example")
    admin.click("text=Disable")
    guest.goto(f"{address}/users")
    assert "Log in" in guest.inner_text("h1")
    acts = [line.kind for line in reversed(review.audit.lines())]
    assert acts == [
        *("login", "user_invite", "password", "login", "account_totp_begin", "account_totp_confirm", "logout", "login"),
        "user_disable",
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (375, "dark")])
def test_what_is_shown_only_once_is_clean_too(
    review: Newsroom, address: str, opened: Callable[..., Any], width: int, scheme: str
) -> None:
    long = "somebody.with.a.very.long.name@a.subdomain.of.the.desk.example"
    review.accounts.add(long, Role.EDITOR, review.clock.now(), PASSWORD)
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    enter(review, page, address, "editor@example.com")
    page.goto(f"{address}/users")
    page.click(f"text=Change {long}")
    assert faults(page) == []
    page.goto(f"{address}/tokens")
    page.fill("input[name=name]", "Another program")
    page.click("text=Make a token")
    assert faults(page) == []
    review.accounts.set_password(review.accounts.find("editor@example.com").id, PASSWORD)
    enter(review, page, address, "editor@example.com")
    page.goto(f"{address}/account/totp")
    page.fill("input[name=password]", PASSWORD)
    page.click("text=Set it up")
    assert faults(page) == []
    secret = page.inner_text("code.secret").replace(" ", "")
    page.fill("input[name=code]", totp.code_at(secret, int(time.time()) // 30))
    page.click("text=Ask for codes from now on")
    assert faults(page) == []
    page.goto(f"{address}/account/totp")
    assert faults(page) == []
