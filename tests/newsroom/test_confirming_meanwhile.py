"""Whoever confirms a sign-up at the moment when they are imported, added, erased or thrown away is not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import requests, subscriptions
from subscribers.database import writing
from subscribers.errors import UnknownSubscriberError
from subscribers.model import Status
from subscribers.requests import confirm
from subscribers.retention import prune_pending
from subscribers.signups import sign_up
from tests.desks import NEWSLETTER

EVE = "eve@example.org"


def while_confirming(room: Newsroom, other: Callable[[], object]) -> None:
    """Begin to confirm what EVE asked for; `other` begins before that is committed."""
    requests.ask_to_subscribe(room, sign_up(EVE, [NEWSLETTER]), language="en", network="net")
    (asked,) = (each for each in room.subscribers.requests(6) if each.address.email == EVE)
    thread = threading.Thread(target=other)
    with writing(room.database.engine) as connection:
        assert confirm(connection, asked.id, [NEWSLETTER], room.clock.now(), "net") is not None
        thread.start()
        time.sleep(0.4)
    thread.join()


def test_who_is_added_at_that_moment_stays_confirmed(readers_desk: tuple[Newsroom, IssueId]) -> None:
    """On PostgreSQL who adds them saw nobody, and wrote `pending` over it."""
    room, _ = readers_desk
    while_confirming(room, lambda: room.subscribers.add(sign_up(EVE, [NEWSLETTER]), room.clock.now()))
    held = room.subscribers.find(EVE).subscriptions[NEWSLETTER]
    assert held.status is Status.CONFIRMED
    assert held.consent_at is not None


def test_who_is_erased_at_that_moment_is_gone(readers_desk: tuple[Newsroom, IssueId]) -> None:
    """On PostgreSQL who erases them saw nobody, and left whoever had just come."""
    room, _ = readers_desk
    while_confirming(room, lambda: subscriptions.forget(room, EVE))
    with pytest.raises(UnknownSubscriberError):
        room.subscribers.find(EVE)


def test_who_was_pending_too_long_and_comes_at_that_moment_stays(readers_desk: tuple[Newsroom, IssueId]) -> None:
    """On PostgreSQL who throws old sign-ups away had looked before, waited for the row, and threw it away."""
    room, _ = readers_desk
    room.subscribers.add(sign_up(EVE, [NEWSLETTER]), room.clock.now() - timedelta(days=500))
    before = room.clock.now() - timedelta(days=365)
    while_confirming(room, lambda: prune_pending(room.database.engine, before))
    assert room.subscribers.find(EVE).subscriptions[NEWSLETTER].status is Status.CONFIRMED


def test_a_second_form_at_that_moment_is_a_request_of_its_own(readers_desk: tuple[Newsroom, IssueId]) -> None:
    """On PostgreSQL it was to be added to the first, which was confirmed by then, and was lost."""
    room, _ = readers_desk
    while_confirming(
        room, lambda: requests.ask_to_subscribe(room, sign_up(EVE, ["other"]), language="en", network="net")
    )
    waiting = [each for each in room.subscribers.requests(6) if each.address.email == EVE and not each.confirmed_at]
    assert [each.newsletters for each in waiting] == [("other",)]
