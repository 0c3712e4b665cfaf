"""API tokens: made, shown once, used, revoked."""

from __future__ import annotations

import re

import pytest

from newsletter.newsroom import Newsroom
from newsletter.storage import Role

from .conftest import Visitor, dump


def make(admin: Visitor, name: str = "Content  system", role: str = "editor") -> str:
    answer = admin.order("/tokens/make", name=name, role=role)
    assert answer.status_code == 200
    return re.findall(r"newsdesk_[\w-]{43}", answer.text)[0]


def me(room: Newsroom, authorization: str | None):
    headers = {} if authorization is None else {"authorization": authorization}
    return Visitor(room).http.get("/api/v1/me", headers=headers)


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def test_a_token_says_who_it_is_and_is_shown_once(admin: Visitor) -> None:
    room = admin.room
    secret = make(admin)
    assert me(room, f"Bearer {secret}").json() == {"name": "Content system", "scope": "editor"}
    assert me(room, f"bearer  {secret} ").status_code == 200, "the scheme's case does not matter (RFC 9110, 11.1)"
    page = admin.http.get("/tokens").text
    assert "Content system" in page
    assert secret not in page
    assert secret not in "".join(dump(room)), "only its hash is kept"
    (token,) = room.api_tokens.all()
    assert (token.made_by, token.used_at) == ("admin@desk.example", room.api_tokens.all()[0].used_at)
    assert token.used_at is not None


def test_a_revoked_token_is_refused_at_once(admin: Visitor) -> None:
    secret = make(admin)
    (token,) = admin.room.api_tokens.all()
    assert admin.order(f"/tokens/{token.id}/revoke").status_code == 303
    assert me(admin.room, f"Bearer {secret}").status_code == 401
    assert admin.order(f"/tokens/{token.id}/revoke").status_code == 404
    assert "revoked" in admin.http.get("/tokens").text


def test_what_is_no_token_is_refused_with_the_way_to_show_one(admin: Visitor) -> None:
    secret = make(admin)
    shown = [None, "", "Bearer", "Bearer x", f"Basic {secret}", secret, f"Bearer {secret}x", f"Bearer {secret[:-1]}"]
    for authorization in shown:
        answer = me(admin.room, authorization)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), authorization
        assert "Authorization: Bearer TOKEN" in answer.json()["detail"]


def test_a_session_opens_no_address_of_programs_and_a_token_no_screen(admin: Visitor) -> None:
    assert admin.http.get("/api/v1/me").status_code == 401
    secret = make(admin, role="approver")
    visitor = Visitor(admin.room)
    visitor.http.headers["authorization"] = f"Bearer {secret}"
    assert visitor.http.get("/users").status_code == 401
    assert visitor.http.post("/tokens/make", data={"name": "x", "role": "viewer"}).status_code == 401
    assert visitor.http.post("/api/v1/stories", content=b"{}").status_code == 401, (
        "keys of schedule.yaml are other ones"
    )


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("x" * 81, "viewer"), ("x", "")])
def test_what_cannot_be_a_token_is_said(admin: Visitor, name: str, role: str) -> None:
    assert admin.order("/tokens/make", name=name, role=role).status_code == 422
    assert admin.room.api_tokens.all() == []


def test_a_token_of_too_small_a_role_is_told_so(admin: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.web.app import ACCESS
    from newsletter.web.policy import Bearer

    monkeypatch.setitem(ACCESS, "me", Bearer(Role.APPROVER))
    refused = me(admin.room, f"Bearer {make(admin, role='editor')}")
    assert (refused.status_code, "approver" in refused.json()["detail"]) == (403, True)
    assert me(admin.room, f"Bearer {make(admin, role='approver')}").status_code == 200
