"""What people ask of us by public forms: nothing comes of it before their address has answered."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from newsletter.storage import Database
from subscribers.errors import UnknownSubscriberError
from subscribers.house import Subscribers
from subscribers.model import Status, Subscription
from subscribers.requests import ONE_MAIL, RequestKind
from subscribers.retention import prune_requests
from subscribers.signups import sign_up

ADDRESS = "ann@example.org"


def ask(house: Subscribers, now: datetime, *newsletters: str, address: str = ADDRESS, **choices: object) -> None:
    signup = sign_up(address, newsletters or ("daily",), **choices)  # type: ignore[arg-type]
    house.ask(RequestKind.SUBSCRIBE, signup, now, language="en", network="192.0.2.0/24", form="1")


def confirm(house: Subscribers, number: int, now: datetime, *newsletters: str) -> bool:
    return house.confirm(number, newsletters or ("daily",), now, "198.51.100.0/24") is not None


def status(house: Subscribers, newsletter: str = "daily", address: str = ADDRESS) -> Status:
    return house.find(address).subscriptions[newsletter].status


def test_who_asks_is_nobody_until_the_address_answers(house: Subscribers, now: datetime) -> None:
    ask(house, now, countries=["JP"])
    with pytest.raises(UnknownSubscriberError):
        house.find(ADDRESS)
    (asked,) = house.requests(6)
    assert confirm(house, asked.id, now + timedelta(minutes=5))
    held = house.find(ADDRESS)
    assert held.preferences.countries == ("JP",)
    kept = held.subscriptions["daily"]
    assert kept == Subscription(Status.CONFIRMED, now + timedelta(minutes=5), kept.consent_source)
    assert kept.consent_source == "form 1 of 2026-05-27T05:30Z, confirmed by link"
    (line,) = house.show(ADDRESS)["history"]  # type: ignore[misc]
    assert "192.0.2.0/24" in line["how"]
    assert "198.51.100.0/24" in line["how"]


def test_a_link_works_once(house: Subscribers, now: datetime) -> None:
    ask(house, now)
    (asked,) = house.requests(6)
    assert confirm(house, asked.id, now)
    house.unsubscribe(ADDRESS, None, now)
    assert not confirm(house, asked.id, now)
    assert status(house) is Status.UNSUBSCRIBED


def test_however_often_it_is_asked_for_an_address_gets_one_mail_a_day(house: Subscribers, now: datetime) -> None:
    for minute in range(20):
        ask(house, now + timedelta(minutes=minute), "daily", "weekly") if minute == 7 else ask(house, now)
    (asked,) = house.requests(6)
    assert asked.newsletters == ("daily", "weekly")
    house.settle_request(asked, "")
    ask(house, now + ONE_MAIL)
    assert len(house.requests(6)) == 1


def test_whoever_has_confirmed_may_ask_for_more_on_the_same_day(house: Subscribers, now: datetime) -> None:
    ask(house, now)
    (asked,) = house.requests(6)
    house.settle_request(asked, "")
    assert confirm(house, asked.id, now)
    for minute in range(1, 20):
        ask(house, now + timedelta(minutes=minute), "weekly")
    (second,) = house.requests(6)
    assert second.newsletters == ("weekly",)
    assert confirm(house, second.id, now + timedelta(hours=1), "weekly")


def test_who_left_comes_back_only_by_confirming(house: Subscribers, now: datetime) -> None:
    house.add(sign_up(ADDRESS, ("daily",), wanted=Subscription(Status.CONFIRMED, now, "shop")), now)
    house.unsubscribe(ADDRESS, None, now)
    ask(house, now)
    assert status(house) is Status.UNSUBSCRIBED
    (asked,) = house.requests(6)
    assert confirm(house, asked.id, now)
    assert status(house) is Status.CONFIRMED


@pytest.mark.parametrize(
    ("reason", "comes"), [("erased", True), ("bounced", True), ("complaint", False), ("by hand", False)]
)
def test_a_person_lifts_what_is_theirs_to_lift(house: Subscribers, now: datetime, reason: str, comes: bool) -> None:
    house.suppress(ADDRESS, reason, now)
    ask(house, now)
    waiting = house.requests(6)
    assert bool(waiting) is comes
    if comes:
        assert confirm(house, waiting[0].id, now)
        assert house.show(ADDRESS)["status"] == "active"
        assert not confirm(house, waiting[0].id, now)


def test_a_complaint_that_comes_meanwhile_stays(house: Subscribers, now: datetime) -> None:
    ask(house, now)
    (asked,) = house.requests(6)
    house.suppress(ADDRESS, "complaint", now)
    confirm(house, asked.id, now)
    assert house.show(ADDRESS)["status"] == "suppressed"


def test_only_whoever_is_known_is_sent_a_link_and_nobody_can_tell(house: Subscribers, now: datetime) -> None:
    house.add(sign_up(ADDRESS, ("daily",)), now)
    for address in (ADDRESS, "stranger@example.org"):
        house.ask(RequestKind.LINK, sign_up(address, ("daily",)), now, language="en", network="", form="1")
    (asked,) = house.requests(6)
    assert asked.address.email == ADDRESS


def test_old_requests_go(engine: Engine, house: Subscribers, now: datetime) -> None:
    ask(house, now)
    (asked,) = house.requests(6)
    ask(house, now + timedelta(days=30), address="ben@example.org")
    for dry_run in (True, False):
        assert prune_requests(engine, now + timedelta(days=1), dry_run=dry_run) == 1
    assert prune_requests(engine, now + timedelta(days=1)) == 0
    with pytest.raises(UnknownSubscriberError):
        house.request(asked.id)


def test_each_try_belongs_to_one_process(house: Subscribers, now: datetime) -> None:
    ask(house, now)
    (asked,) = house.requests(6)
    assert house.claim_request(asked, now)
    assert not house.claim_request(asked, now)
    (again,) = house.requests(6)
    assert (again.tries, again.tried_at) == (1, now)


def test_of_many_at_the_same_moment_one_is_the_first(database_url: str, now: datetime) -> None:
    with Database(database_url, lasting=False) as database:
        database.upgrade()
        house, rounds, threads = Subscribers(database.engine), 10, 6
        house.upgrade()
        barrier = threading.Barrier(threads)

        def bomb(number: int) -> None:
            for turn in range(rounds):
                barrier.wait(20)
                ask(house, now, f"letter{number}", address=f"a{turn}@example.org")

        running = [threading.Thread(target=bomb, args=(number,)) for number in range(threads)]
        for each in running:
            each.start()
        for each in running:
            each.join()
        asked = house.requests(6)
        assert sorted(each.address.email for each in asked) == [f"a{turn}@example.org" for turn in range(rounds)]
        assert {len(each.newsletters) for each in asked} == {threads}
