"""What a reader has of programs elsewhere: an erasure reaches them, and their data says who was told what."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.planning.rehearsal import copied
from newsletter.newsroom.programs import webhooks
from newsletter.newsroom.readership import erasing, own_data, subscriptions
from newsletter.storage import EventKind, Fate
from subscribers.addresses import parse_address

from .hook_server import Listener, listening
from .test_webhooks import DAILY, add, hook

MEI = "mei@example.com"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


def test_programs_are_told_of_an_erasure_and_of_nobodys_address(room: Newsroom, listener: Listener) -> None:
    each, _ = hook(room, listener, EventKind.UNSUBSCRIBED, with_address=True)
    number = add(room, MEI)
    subscriptions.forget(room, MEI)
    (row,) = room.webhooks.told(each.id, 10)
    assert MEI not in str(row)
    webhooks.carry(room)
    (told,) = listener.told
    assert told["type"] == "subscriber.unsubscribed"
    assert told["data"] == {"subscriber": number, "newsletters": [DAILY], "email": None}


def test_who_had_left_before_is_erased_elsewhere_too(room: Newsroom, listener: Listener) -> None:
    number = add(room, MEI)
    subscriptions.end(room, MEI, None, who="x")
    each, _ = hook(room, listener, EventKind.UNSUBSCRIBED)
    subscriptions.forget(room, MEI)
    (row,) = room.webhooks.told(each.id, 10)
    assert row.happening.data == {"subscriber": number, "newsletters": []}


def test_an_erasure_that_fails_is_told_nobody_and_one_done_again_is_told_once(
    room: Newsroom, listener: Listener
) -> None:
    add(room, MEI)
    each, _ = hook(room, listener)

    def and_then_fail() -> None:
        with room.database.write() as connection:
            erasing.erase_within(room, connection, parse_address(MEI))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        and_then_fail()
    assert room.webhooks.told(each.id, 10) == []
    with room.database.write() as connection:
        assert erasing.erase_within(room, connection, parse_address(MEI), again=True)
    assert room.webhooks.told(each.id, 10) == [], "programs were told before the backup was restored"


def test_a_readers_data_says_what_programs_were_told_of_them(room: Newsroom, listener: Listener) -> None:
    hook(room, listener)
    add(room, "other@example.com")
    add(room, MEI)
    webhooks.carry(room)
    subscriptions.end(room, MEI, None, who="x")
    whole = json.loads("".join(own_data.document(room, room.subscribers.find(MEI))))
    at = room.clock.now().isoformat()
    first, second = whole["programs_told"]
    assert first == {"webhook": "CRM", "kind": "subscriber.subscribed", "at": first["at"], "state": Fate.TAKEN}
    assert second == {"webhook": "CRM", "kind": "subscriber.unsubscribed", "at": second["at"], "state": Fate.WAITING}
    assert first["at"] <= second["at"] <= at
    assert whole["messages"] == []


def test_a_copy_on_which_days_are_rehearsed_is_made_of_no_webhook(room: Newsroom, listener: Listener) -> None:
    hook(room, listener)
    add(room, MEI)
    with copied(room, [DAILY], room.clock.now().date()) as copy:
        assert copy.subscribers.find(MEI)
        as_a_file = room.database.is_sqlite
        assert len(copy.webhooks.all()) == as_a_file


def test_after_a_restored_backup_nothing_is_told_before_the_journal_is_read(room: Newsroom, listener: Listener) -> None:
    hook(room, listener, EventKind.SUBSCRIBED, with_address=True)
    add(room, MEI)
    with pytest.raises(ZeroDivisionError), room.database.write() as connection:  # noqa: PT012 - the database forgets it
        subscriber = room.privacy.erase(connection, parse_address(MEI), room.clock.now())
        assert subscriber is not None
        room.privacy.note_erased(connection, subscriber, room.clock.now())
        raise ZeroDivisionError
    webhooks.carry(room)
    assert MEI not in str(listener.told)
