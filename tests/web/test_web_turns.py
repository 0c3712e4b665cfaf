"""What the public posts at once is written in turn: nobody is overtaken until the database's patience ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import own_data, readers, requests, turns

from .conftest import NEWSLETTER
from .test_web_own_data import KNOWN, letters

Write = Callable[[Newsroom], object]


def ask_for_data(room: Newsroom) -> object:
    signup = requests.read_address(room, "seo.haneul@example.com")
    return own_data.ask_for_data(room, signup, language="en", network="192.0.2.0/24")


def ask_for_link(room: Newsroom) -> object:
    signup = requests.read_address(room, "seo.haneul@example.com")
    return requests.ask_for_link(room, signup, language="en", network="192.0.2.0/24")


def ask_change(room: Newsroom) -> object:
    held = room.subscribers.find(KNOWN)
    return own_data.ask_change(room, held, "mei.new@example.org", language="en", network="192.0.2.0/24")


def move(room: Newsroom, verb: Callable[[Newsroom, own_data.Moving], object]) -> object:
    found = own_data.moving(room, letters(room)[KNOWN][1].rpartition("/")[2])
    assert found is not None
    return verb(room, found)


def agree(room: Newsroom) -> object:
    return move(room, lambda room, found: own_data.agree(room, found, "192.0.2.0/24"))


def refuse(room: Newsroom) -> object:
    return move(room, own_data.refuse)


def leave(room: Newsroom) -> object:
    return readers.unsubscribe(room, readers.Reader(room.subscribers.find(KNOWN), NEWSLETTER, None), "link")


def choose(room: Newsroom) -> object:
    newsletter = room.plan.newsletters[NEWSLETTER]
    reader = readers.Reader(room.subscribers.find(KNOWN), NEWSLETTER, newsletter)
    return readers.choose(room, reader, countries=["CN"])


def delete(room: Newsroom) -> object:
    return own_data.delete(room, room.subscribers.find(KNOWN))


@pytest.mark.parametrize("write", [ask_for_data, ask_for_link, ask_change, agree, refuse, leave, choose, delete])
def test_a_post_of_the_public_waits_for_its_turn(sent: Newsroom, write: Write) -> None:
    if write in (agree, refuse):
        ask_change(sent)
        letters(sent)
    done = threading.Event()

    def work() -> None:
        write(sent)
        done.set()

    with turns._TURN:
        thread = threading.Thread(target=work)
        thread.start()
        assert not done.wait(0.1)
    thread.join(10)
    assert done.is_set()
