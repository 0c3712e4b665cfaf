"""What ends the telling: a key that is gone, a switch during a call, a clock that stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from newsletter.newsroom import Newsroom
from newsletter.newsroom.programs import webhooks
from newsletter.schedule.clockwork import Clockwork
from newsletter.storage import EventKind, Fate, Role
from newsletter.storage.tables import webhook

from .hook_server import Listener, listening
from .test_webhooks import add, hook, only, pass_time


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_webhook_whose_key_is_gone_is_switched_off_and_the_admins_are_told(
    room: Newsroom, listener: Listener
) -> None:
    room.accounts.add("chief@desk.example", Role.ADMIN, room.clock.now())
    each, _ = hook(room, listener)
    add(room, "a@example.com")
    room.settings = replace(room.settings, secret_key=("another key, for the old one is lost",))
    webhooks.carry(room)
    assert room.webhooks.get(each.id).off_why == "its secret was sealed with a key that is gone"
    row = only(room, each)
    assert (row.fate, row.tries, row.next_at) == (Fate.LOST, 0, None)
    admins = [person for person in room.accounts.people() if person.account.role is Role.ADMIN]
    assert [mail.kind for mail in room.account_mails.open(6)] == ["webhook"] * len(admins)
    assert [line.kind for line in room.audit.lines()] == ["webhook_off"]
    assert listener.got == []


def test_a_copy_of_a_desk_that_tells_nobody_asks_for_no_key(light_room: Newsroom) -> None:
    room = light_room
    each, _ = webhooks.make(room, "CRM", "https://crm.example/", tuple(EventKind), with_address=False, who="x")
    add(room, "a@example.com")
    room.settings = replace(room.settings, secret_key=("the colleague's own",))
    webhooks.carry(room)
    assert only(room, each).reply == "not sent: the desk is not live"
    assert room.webhooks.get(each.id).off_at is None


@pytest.mark.parametrize("answer", [500, 204])
def test_a_webhook_switched_off_during_a_call_is_called_no_more(
    room: Newsroom, listener: Listener, answer: int
) -> None:
    each, _ = hook(room, listener)
    add(room, "a@example.com")
    add(room, "b@example.com")
    listener.hang, listener.answers = True, [answer]
    carrier = threading.Thread(target=webhooks.carry, args=(room,))
    carrier.start()
    wait_until(lambda: bool(listener.got))
    webhooks.switch_off(room, each, who="x")
    listener.release.set()
    carrier.join()
    rows = room.webhooks.told(each.id, 10)
    assert {(row.fate, row.next_at, row.reply) for row in rows} == {(Fate.LOST, None, "the webhook was switched off")}
    pass_time(room, days=1)
    webhooks.carry(room)
    assert len(listener.got) == 1


def test_an_event_written_while_it_was_switched_off_is_given_up(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener)
    add(room, "a@example.com")
    with room.database.write() as connection:
        connection.execute(sa.update(webhook).values(off_at=room.clock.now(), off_why="by x"))
    webhooks.carry(room)
    assert only(room, each).fate is Fate.LOST
    assert listener.got == []


def test_a_clock_that_stops_begins_no_further_call(light_room: Newsroom, listener: Listener) -> None:
    room = light_room
    each, _ = hook(room, listener)
    for number in range(5):
        add(room, f"r{number}@example.com")
    listener.hang = True
    clockwork = Clockwork(room)
    clockwork.start()
    wait_until(lambda: bool(listener.got))
    stopper = threading.Thread(target=clockwork.stop)
    stopper.start()
    wait_until(clockwork._stopping.is_set)
    listener.release.set()
    stopper.join()
    assert len(listener.got) == 1
    assert room.webhooks.counts()[each.id] == {Fate.TAKEN: 1, Fate.WAITING: 4}


def test_where_nothing_fails_nothing_is_written_of_it(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener)
    add(room, "a@example.com")
    written: list[str] = []
    sa.event.listen(room.database.engine, "before_cursor_execute", lambda *given: written.append(given[2]))
    webhooks.carry(room)
    assert only(room, each).fate is Fate.TAKEN
    assert not [each for each in written if each.startswith("UPDATE webhook SET")]


def test_one_that_takes_something_again_is_not_failing_at_once(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener)
    listener.answers = [400, 204]
    add(room, "a@example.com")
    add(room, "b@example.com")
    webhooks.carry(room)
    assert room.webhooks.get(each.id).failing_since is None
