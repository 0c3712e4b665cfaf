"""The screens of webhooks: made with a secret that is shown once, tried, switched, an event sent again."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from newsletter.cli import newsletter
from newsletter.newsroom import Newsroom
from newsletter.newsroom.programs import webhooks
from newsletter.storage import Fate, Role
from tests.newsroom.hook_server import listening

from .conftest import Visitor, dump


@pytest.fixture
def admin(sent: Newsroom) -> Visitor:
    return Visitor(sent).enter(Role.ADMIN)


def test_a_webhook_is_made_and_its_secret_shown_once(admin: Visitor) -> None:
    fields = {"name": "Shop", "url": "https://shop.example/in?key=topaz", "event": "subscriber.subscribed"}
    answer = admin.order("/webhooks/make", **fields)
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)
    assert secret not in admin.http.get("/webhooks").text
    assert secret not in "".join(dump(admin.room))
    made = admin.room.webhooks.find("Shop")
    assert (made.events, made.with_address) == (("subscriber.subscribed",), False)
    assert "topaz" not in admin.http.get("/audit").text
    again = admin.order("/webhooks/make", **fields)
    assert again.status_code == 422
    assert "another name" in again.text
    assert 'value="Shop"' in again.text, "what was typed is there still"


def test_no_address_inside_is_taken(admin: Visitor) -> None:
    for url in ("http://127.0.0.1:9/", "http://crm.example/", "javascript:alert(1)", "https://a:b@crm.example/"):
        answer = admin.order("/webhooks/make", name="Shop", url=url, event="issue.submitted")
        assert answer.status_code == 422, url


def test_the_page_shows_what_was_told_and_sends_it_again(sent: Newsroom) -> None:
    with listening() as listener:
        sent.settings = replace(sent.settings, webhooks_inside=(("127.0.0.1", listener.port),))
        admin = Visitor(sent).enter(Role.ADMIN)
        made, _ = webhooks.make(sent, "Shop", listener.url, ["subscriber.unsubscribed"], with_address=False, who="x")
        where = f"/webhooks/{made.id}"
        assert "It took the test: 204" in admin.order(where, act="test").text
        listener.answers = [400, 204]
        sent.subscribers.unsubscribe("mei.tan@example.com", None, sent.clock.now())
        webhooks.carry(sent)
        page = admin.http.get(where).text
        assert "400 Bad Request" in page
        assert "mei.tan" not in page
        (row,) = sent.webhooks.told(made.id, 5)
        assert admin.order(where, act="again", event=str(row.event)).status_code == 409, "it waits already"
        sent.webhooks.settle(row, Fate.LOST, 400, "400 Bad Request")
        assert admin.order(where, act="again", event=str(row.event)).status_code == 303
        webhooks.carry(sent)
        assert [each["type"] for each in listener.told] == ["webhook.test"] + ["subscriber.unsubscribed"] * 2
        assert admin.order(where, act="off").status_code == 303
        assert admin.order(where, act="again", event=str(row.event)).status_code == 409
        assert "Switched off" in admin.http.get(where).text
        assert admin.order(where, act="on").status_code == 303
        assert admin.order(where, act="remove").headers["location"] == "/webhooks"
        assert admin.http.get(where).status_code == 404


def test_the_commands_do_the_same(sent: Newsroom) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(newsletter, ["--desk", str(sent.desk), "webhooks", *words], standalone_mode=False)
        assert done.exception is None, done.output
        return done.stdout

    assert run("add", "Shop", "https://shop.example/in", "--event", "issue.submitted").startswith("whsec_")
    listed = json.loads(run("list", "--json"))
    assert [(each["name"], each["host"], each["off"]) for each in listed] == [
        ("CRM", "crm.example", None),
        ("Shop", "shop.example", None),
    ]
    (told,) = json.loads(run("log", "CRM", "--json"))
    assert (told["type"], told["fate"], told["data"]["issue"]) == (
        "issue.submitted",
        "waiting",
        "asia-ai-daily/2026-05-27",
    )
    assert "off" in run("off", "CRM")
    assert "given up" in run("log", "CRM")
    assert "on" in run("on", "CRM")
    assert "sent again" in run("again", "CRM", str(told["event"]))
    assert "removed" in run("remove", "Shop")
    assert [each.name for each in sent.webhooks.all()] == ["CRM"]
