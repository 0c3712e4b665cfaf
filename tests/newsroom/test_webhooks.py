"""What programs elsewhere are told: everything that happened, at least once, signed, and nobody inside unasked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.clock import Clock
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.documents import webhook_document
from newsletter.newsroom.programs import webhooks
from newsletter.newsroom.readership import pruning, subscriptions
from newsletter.schedule.clockwork import Clockwork
from newsletter.storage import EventKind, Fate, Role, Webhook
from subscribers.database import writing
from subscribers.model import Event
from subscribers.records import write_events
from tests.desks import approved_desk

from .hook_server import Listener, listening, signature_of

DAILY = "asia-ai-daily"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


def allow(room: Newsroom, listener: Listener) -> None:
    room.settings = replace(room.settings, webhooks_inside=(("127.0.0.1", listener.port),))


def hook(room: Newsroom, listener: Listener, *events: str, with_address: bool = False) -> tuple[Webhook, str]:
    allow(room, listener)
    kinds = events or tuple(EventKind)
    return webhooks.make(room, "CRM", listener.url, kinds, with_address=with_address, who="x")


def add(room: Newsroom, email: str) -> int:
    subscriptions.enrol(room, email, [DAILY], consent=(room.clock.now(), "shop"))
    return room.subscribers.find(email).id


def pass_time(room: Newsroom, **length: float) -> datetime:
    room.clock = Clock(room.clock.now() + timedelta(**length))
    return room.clock.now()


def only(room: Newsroom, each: Webhook) -> Any:
    (row,) = room.webhooks.told(each.id, 10)
    return row


def pruned(room: Newsroom, *, dry_run: bool = False) -> int:
    (found,) = (each for each in pruning.prune(room, dry_run=dry_run) if each.what == "events told to webhooks")
    return found.number


def test_what_happens_is_told_once_signed_and_without_an_address(room: Newsroom, listener: Listener) -> None:
    _, secret = hook(room, listener)
    number = add(room, "new@example.com")
    subscriptions.end(room, "new@example.com", None, who="x")
    webhooks.carry(room)
    webhooks.carry(room)
    assert [each["type"] for each in listener.told] == ["subscriber.subscribed", "subscriber.unsubscribed"]
    assert [each["data"] for each in listener.told] == [{"subscriber": number, "newsletters": [DAILY]}] * 2
    ids = set()
    for headers, body in listener.got:
        assert b"example.com" not in body
        assert headers["webhook-signature"] == signature_of(secret, headers, body)
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60, "by the true time, whatever the desk's is"
        assert "." not in headers["webhook-id"]
        ids.add(headers["webhook-id"])
    assert len(ids) == 2
    assert room.webhooks.counts() == {1: {Fate.TAKEN: 2}}


def test_the_address_is_told_where_the_webhook_says_so_and_lies_in_no_queue(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener, with_address=True)
    add(room, "new@example.com")
    assert "new@example.com" not in str(only(room, each))
    webhooks.carry(room)
    assert listener.told[0]["data"]["email"] == "new@example.com"


def test_only_what_was_chosen_is_written_and_a_pending_subscription_is_none(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener, EventKind.UNSUBSCRIBED)
    add(room, "new@example.com")
    subscriptions.enrol(room, "pending@example.com", [DAILY])
    assert room.webhooks.told(each.id, 10) == []
    subscriptions.end(room, "new@example.com", None, who="x")
    assert only(room, each).happening.kind is EventKind.UNSUBSCRIBED


def test_an_event_is_there_exactly_when_what_it_tells_of_is(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener)
    number = add(room, "new@example.com")
    event = Event(room.clock.now(), "unsubscribed", {"newsletters": [DAILY]})

    def and_then_fail() -> None:
        with writing(room.subscribers._engine) as connection:
            write_events(connection, [(number, event)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        and_then_fail()
    assert only(room, each).happening.kind is EventKind.SUBSCRIBED
    assert [line["what"] for line in room.subscribers.show("new@example.com")["history"]] == ["subscribed"]


def test_what_came_back_is_told_without_its_words(room: Newsroom, listener: Listener) -> None:
    hook(room, listener)
    number = add(room, "new@example.com")
    said = {"issue": f"{DAILY}/2026-05-27", "class": "address", "status": "5.1.1", "words": "no new@example.com here"}
    with writing(room.bounces._engine) as connection:
        at, kinds = room.clock.now(), ("bounced", "complained")
        lines = [(number, Event(at, what, said | {"then": "suppressed"})) for what in kinds]
        write_events(connection, lines)
    webhooks.carry(room)
    told = listener.told[1:]
    assert [each["type"] for each in told] == ["subscriber.bounced", "subscriber.complained"]
    assert "words" not in told[0]["data"]
    assert told[0]["data"]["then"] == "suppressed"


def test_an_issue_that_is_through_is_told_once(tmp_path: Any, listener: Listener) -> None:
    environ = {"NEWSLETTER_NOW": "2026-05-27T08:00:00+00:00", "NEWSLETTER_WEBHOOKS_INSIDE": listener.place}
    issue_id = approved_desk(tmp_path / "desk", environ, ((f"r{n}@example.com", "") for n in range(3)))
    with Newsroom.open(tmp_path / "desk", environ=environ) as room:
        each, _ = webhooks.make(room, "CRM", listener.url, [EventKind.ISSUE_SUBMITTED], with_address=False, who="x")
        sending.send(room, issue_id)
        assert only(room, each).fate is Fate.WAITING
        webhooks.carry(room)
    (told,) = listener.told
    assert told["type"] == "issue.submitted"
    assert told["data"] == {"issue": str(issue_id), "newsletter": issue_id.newsletter, "deliveries": {"submitted": 3}}


def test_what_is_not_taken_is_tried_again_under_the_same_id_and_then_given_up(
    room: Newsroom, listener: Listener
) -> None:
    each, _ = hook(room, listener, EventKind.SUBSCRIBED)
    listener.answers = [500]
    add(room, "new@example.com")
    start = room.clock.now()
    tries = []
    while (row := only(room, each)).next_at is not None:
        room.clock = Clock(row.next_at)
        tries.append(row.next_at - start)
        webhooks.carry(room)
        assert len(tries) < 20
    assert len(tries) == len(listener.got) == 10
    assert len({headers["webhook-id"] for headers, _ in listener.got}) == 1
    assert timedelta(days=3) < tries[-1] < timedelta(days=4)
    assert (row.fate, row.status, row.reply) == (Fate.LOST, 500, "500 Internal Server Error")
    assert room.webhooks.get(each.id).off_at is None, "three days are no five"
    listener.answers = [200]
    webhooks.send_again(room, each, row.event)
    with pytest.raises(NothingToDoError):
        webhooks.send_again(room, each, row.event)
    webhooks.carry(room)
    assert only(room, each).fate is Fate.TAKEN
    assert room.webhooks.get(each.id).failing_since is None


def test_one_event_that_is_refused_holds_up_no_other(room: Newsroom, listener: Listener) -> None:
    hook(room, listener, EventKind.SUBSCRIBED)
    listener.answers = [400, 200]
    add(room, "a@example.com")
    add(room, "b@example.com")
    webhooks.carry(room)
    assert room.webhooks.counts() == {1: {Fate.WAITING: 1, Fate.TAKEN: 1}}


@pytest.mark.parametrize("status", [429, 503, 0])
def test_who_is_overloaded_is_left_alone_for_as_long_as_they_say(
    room: Newsroom, listener: Listener, status: int
) -> None:
    each, _ = hook(room, listener, EventKind.SUBSCRIBED)
    listener.answers, listener.headers = [status, 200], {"Retry-After": "3600"}
    add(room, "a@example.com")
    add(room, "b@example.com")
    webhooks.carry(room)
    assert len(listener.got) == 1, "the rest waits"
    first = room.webhooks.told(each.id, 10)[-1]
    if status:
        assert first.next_at >= room.clock.now() + timedelta(minutes=59)


def test_who_is_gone_or_dead_for_days_is_switched_off_and_the_admins_are_told(
    room: Newsroom, listener: Listener
) -> None:
    room.accounts.add("chief@desk.example", Role.ADMIN, room.clock.now())
    each, _ = hook(room, listener, EventKind.SUBSCRIBED)
    listener.answers = [500]
    add(room, "a@example.com")
    webhooks.carry(room)
    pass_time(room, days=4.9)
    webhooks.carry(room)
    assert room.webhooks.get(each.id).off_at is None
    pass_time(room, days=1)
    add(room, "b@example.com")
    webhooks.carry(room)
    off = room.webhooks.get(each.id)
    assert off.off_at is not None
    assert "it has taken nothing since" in off.off_why
    admins = [person for person in room.accounts.people() if person.account.role is Role.ADMIN]
    assert [row.kind for row in room.account_mails.open(6)] == ["webhook"] * len(admins)
    add(room, "c@example.com")
    assert all(row.next_at is None for row in room.webhooks.told(each.id, 10)), "nothing more is written for it"
    webhooks.switch_on(room, each)
    listener.answers = [410]
    add(room, "d@example.com")
    webhooks.carry(room)
    assert room.webhooks.get(each.id).off_why == "it answered 410 Gone"
    with pytest.raises(ChecksFailedError, match="switched off"):
        webhooks.send_again(room, room.webhooks.get(each.id), 1)


def test_a_redirect_is_a_failure(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener, EventKind.SUBSCRIBED)
    listener.answers, listener.headers = [307], {"Location": listener.url}
    add(room, "a@example.com")
    webhooks.carry(room)
    assert len(listener.got) == 1
    assert only(room, each).fate is Fate.WAITING


INSIDE = (
    "https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://[::1]:{port}/", "https://0:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/", "https://0x7f.1:{port}/", "https://2130706433:{port}/",
    "https://127.0.0.1.:{port}/",
)  # fmt: skip


@pytest.mark.parametrize("url", INSIDE)
def test_nobody_inside_is_called_unless_the_machines_owner_named_them(
    light_room: Newsroom, listener: Listener, url: str
) -> None:
    room = light_room
    each, _ = webhooks.make(room, "CRM", url.format(port=listener.port), tuple(EventKind), with_address=False, who="x")
    assert not webhooks.try_out(room, each).taken
    room.settings = replace(room.settings, live=True)
    add(room, "a@example.com")
    webhooks.carry(room)
    assert listener.got == []
    assert only(room, each).fate is Fate.WAITING


def test_what_is_no_address_of_a_webhook_is_said(light_room: Newsroom, listener: Listener) -> None:
    room = light_room
    for url in (
        "",
        "http://example.com/",
        "ftp://example.com/",
        "https://u:p@example.com/",
        listener.url,
        "https://:1/",
    ):
        with pytest.raises(InputError, match="https"):
            webhooks.make(room, "CRM", url, tuple(EventKind), with_address=False, who="x")
    with pytest.raises(InputError, match="events"):
        webhooks.make(room, "CRM", "https://example.com/", ["all"], with_address=False, who="x")
    webhooks.make(room, "CRM", "https://example.com/", tuple(EventKind), with_address=False, who="x")
    with pytest.raises(InputError, match="another name"):
        webhooks.make(room, "CRM", "https://example.com/", tuple(EventKind), with_address=False, who="x")


def test_a_desk_that_is_not_live_tells_nobody_outside(light_room: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    room = light_room
    monkeypatch.setattr("newsletter.gather.call", lambda *_: pytest.fail("something left"))
    each, _ = webhooks.make(room, "CRM", "https://crm.example/", tuple(EventKind), with_address=False, who="x")
    add(room, "a@example.com")
    webhooks.carry(room)
    assert (only(room, each).fate, only(room, each).reply) == (Fate.LOST, "not sent: the desk is not live")


def test_a_rehearsal_tells_nobody(light_room: Newsroom, listener: Listener) -> None:
    each, _ = hook(light_room, listener)
    add(light_room, "a@example.com")
    light_room.settings = replace(light_room.settings, rehearsal=True)
    webhooks.carry(light_room)
    with pytest.raises(ChecksFailedError, match="rehearsal"):
        webhooks.try_out(light_room, each)
    assert listener.got == []


def test_the_secret_lies_sealed_and_is_in_no_document(light_room: Newsroom, listener: Listener) -> None:
    each, secret = hook(light_room, listener)
    assert secret not in (light_room.desk / "newsletter.db").read_bytes().decode("latin-1")
    assert secret not in str(webhook_document(each))
    assert "/hooks" not in str(webhook_document(each)), "an address may be a secret itself"


CARRIER = """
import sys
from pathlib import Path
from newsletter.newsroom import Newsroom
from newsletter.newsroom.programs import webhooks

flags = {"database_url": sys.argv[2], "now": sys.argv[3], "webhooks_inside": sys.argv[4]}
with Newsroom.open(Path(sys.argv[1]), flags, environ={}) as room:
    webhooks.carry(room)
"""


def test_a_kill_between_the_call_and_its_record_costs_a_second_call_and_no_event(
    room: Newsroom, listener: Listener
) -> None:
    each, _ = hook(room, listener, EventKind.SUBSCRIBED)
    add(room, "a@example.com")
    listener.hang = True
    url = room.settings.absolute_database_url()
    command = [sys.executable, "-c", CARRIER, str(room.desk), url, room.clock.now().isoformat(), listener.place]
    carrier = subprocess.Popen(command)
    until = time.monotonic() + 30
    while not listener.got and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(carrier.pid, signal.SIGKILL)
    carrier.wait()
    listener.hang = False
    listener.release.set()
    row = only(room, each)
    assert (row.fate, row.tries) == (Fate.WAITING, 1), "it was claimed, and nobody knows more"
    pass_time(room, seconds=10)
    webhooks.carry(room)
    assert only(room, each).fate is Fate.TAKEN
    assert len({headers["webhook-id"] for headers, _ in listener.got}) == 1
    assert len(listener.got) == 2


def test_old_events_are_forgotten_once_they_wait_no_more(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener, EventKind.SUBSCRIBED)
    add(room, "a@example.com")
    pass_time(room, days=31)
    assert pruned(room) == 0, "it waits still"
    webhooks.carry(room)
    assert pruned(room, dry_run=True) == 1
    assert only(room, each).fate is Fate.TAKEN, "the clock that tells throws nothing away"
    assert pruned(room) == 1
    assert room.webhooks.told(each.id, 10) == []
    add(room, "b@example.com")
    webhooks.carry(room)
    pass_time(room, days=29)
    assert pruned(room) == 0


def test_the_clock_tells_what_is_due(light_room: Newsroom, listener: Listener) -> None:
    hook(light_room, listener)
    add(light_room, "a@example.com")
    clockwork = Clockwork(light_room)
    clockwork.start()
    until = time.monotonic() + 60
    while not listener.got and time.monotonic() < until:
        time.sleep(0.05)
    clockwork.stop()
    assert [each["type"] for each in listener.told] == ["subscriber.subscribed"]
