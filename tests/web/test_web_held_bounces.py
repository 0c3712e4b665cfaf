"""Providers whose bounces are held: seen together without an address, settled once, in the log."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from subscribers.tables import bounce, subscriber

from .conftest import ISSUE, Visitor

PROVIDER = "bigmail.example"


@pytest.fixture
def held(sent: Newsroom) -> list[str]:
    """Five readers whom one provider knew no longer."""
    now = sent.clock.now()
    with sent.database.write() as connection:
        people = connection.execute(sa.select(subscriber.c.id, subscriber.c.email).limit(5)).all()
        rows = [
            {
                "delivery": number,
                "kind": "address",
                "digest": "x",
                "newsletter": ISSUE.newsletter,
                "issue": str(ISSUE),
                "provider": PROVIDER,
                "status": "5.1.1",
                "words": "550 <b>no such user</b>",
                "subscriber_id": each.id,
                "sent_at": now,
                "at": now - timedelta(hours=1),
                "fate": "held",
            }
            for number, each in enumerate(people)
        ]
        connection.execute(bounce.insert(), rows)
    return [each.email for each in people]


@pytest.mark.parametrize(
    ("act", "status", "done"), [("release", "active", "let be"), ("confirm", "suppressed", "suppressed")]
)
def test_an_admin_looks_and_decides(sent: Newsroom, held: list[str], act: str, status: str, done: str) -> None:
    admin = Visitor(sent).enter(Role.ADMIN)
    page = admin.http.get("/bounces").text
    assert PROVIDER in page
    assert "550 &lt;b&gt;no such user" in page
    assert not [address for address in held if address in page]
    assert admin.order("/bounces", provider=PROVIDER, act="guess").status_code == 400
    assert admin.order("/bounces", provider=PROVIDER, act=act).status_code == 303
    assert admin.order("/bounces", provider=PROVIDER, act=act).status_code == 409
    assert "Nothing is held" in admin.http.get("/bounces").text
    assert {sent.subscribers.show(address)["status"] for address in held} == {status}
    (line,) = sent.audit.lines()
    assert (line.kind, line.remark) == ("bounce_settle", f"{PROVIDER}: 5 {done}")


def test_editors_decide_nothing_here(sent: Newsroom, held: list[str]) -> None:
    editor = Visitor(sent).enter(Role.EDITOR)
    assert editor.http.get("/bounces").status_code == 403
    assert editor.order("/bounces", provider=PROVIDER, act="confirm").status_code == 403
    assert "Held bounces" in Visitor(sent).enter(Role.ADMIN).http.get("/subscribers").text
