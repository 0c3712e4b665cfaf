"""Subscribers on screen: found, read, ended; seen by admins alone."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.storage import Role

from .conftest import NEWSLETTER, Visitor


@pytest.fixture
def admin(review: Newsroom) -> Visitor:
    return Visitor(review).enter(Role.ADMIN)


def change(visitor: Visitor, **fields: str) -> Any:
    form = {"token": visitor.token, "address": "mei.tan@example.com", **fields}
    return visitor.http.post("/subscribers/one", data=form)


def test_the_list_counts_finds_and_turns_pages(
    review: Newsroom, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = admin.http.get("/subscribers").text
    assert "mei.tan@example.com" in page
    assert "Asia AI Daily" in page
    found = admin.http.get("/subscribers?begins=MEI.").text
    assert found.count("/subscribers/one?address=") == 1
    assert "Nobody here" in admin.http.get("/subscribers?begins=%25").text
    monkeypatch.setattr("newsletter.web.desk.subscriber.list.ROWS", 10)
    seen, address = [], "/subscribers"
    while address:
        text = admin.http.get(address).text
        seen += [part.split('"')[0] for part in text.split("/subscribers/one?address=")[1:]]
        address = text.split('rel="next" href="')[1].split('"')[0] if 'rel="next"' in text else ""
    assert len(seen) == len(set(seen)) == len(review.subscribers.page(limit=1000))


def test_it_is_narrowed_by_newsletter_and_status(review: Newsroom, admin: Visitor) -> None:
    counts = review.subscribers.count(NEWSLETTER)
    for status, number in counts.items():
        page = admin.http.get(f"/subscribers?newsletter={NEWSLETTER}&status={status}").text
        assert page.count("/subscribers/one?address=") == number, status
    assert admin.http.get("/subscribers?newsletter=' OR 1=1--&status=x&below=x").status_code == 200


def test_one_is_read_and_ended(review: Newsroom, admin: Visitor) -> None:
    page = admin.http.get("/subscribers/one?address=mei.tan@example.com").text
    for words in ("confirmed", "Frequency", "History"):
        assert words in page
    assert change(admin, act="unsubscribe", newsletter=NEWSLETTER).status_code == 303
    assert review.subscribers.show("mei.tan@example.com")["subscriptions"] == {NEWSLETTER: "unsubscribed"}
    assert change(admin, act="suppress").status_code == 303
    assert "suppressed" in admin.http.get("/subscribers/one?address=mei.tan@example.com").text
    assert change(admin, act="sing").status_code == 400
    assert admin.http.get("/subscribers/one?address=nobody@example.com").status_code == 404
    assert admin.http.get("/subscribers/one?address=").status_code == 400
