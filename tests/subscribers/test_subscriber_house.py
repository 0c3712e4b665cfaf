"""The verbs: add, show, suppress, unsubscribe, preferences."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from subscribers.errors import AddressError, PreferenceError, UnknownSubscriberError
from subscribers.house import Subscribers
from subscribers.model import Fate, Frequency, Preferences, Status, Subscription
from subscribers.signups import sign_up
from subscribers.tables import subscriber, subscriber_event, subscription

ANN = "ann@example.com"


def confirmed(now: datetime) -> Subscription:
    return Subscription(Status.CONFIRMED, now, "sign-up form, text 3")


def test_add_and_show(house: Subscribers, now: datetime) -> None:
    signup = sign_up(
        "Ann@Example.com",
        ["daily"],
        name="Ann Lee",
        countries=["jp", "cn"],
        language="EN",
        attributes={"plan": "gold"},
        wanted=confirmed(now),
    )
    assert house.add(signup, now) is Fate.ADDED
    assert house.show("Ann@EXAMPLE.com") == {
        "id": 1,
        "email": "Ann@Example.com",
        "name": "Ann Lee",
        "status": "active",
        "subscriptions": {"daily": "confirmed"},
        "countries": ["CN", "JP"],
        "frequency": "daily",
        "language": "en",
        "timezone": None,
        "paused_until": None,
        "attributes": {"plan": "gold"},
        "history": [
            {
                "at": "2026-05-27T05:30:00+00:00",
                "what": "subscribed",
                "newsletters": ["daily"],
                "status": "confirmed",
                "how": "added by hand",
                "consent_at": "2026-05-27T05:30:00+00:00",
                "consent_source": "sign-up form, text 3",
            }
        ],
    }


def test_adding_twice_changes_nothing(house: Subscribers, now: datetime) -> None:
    signup = sign_up(ANN, ["daily"])
    fates = [house.add(signup, now + timedelta(hours=hour)) for hour in range(2)]
    assert fates == [Fate.ADDED, Fate.UNCHANGED]
    assert len(house.show(ANN)["history"]) == 1  # type: ignore[arg-type]


def test_a_pending_subscription_is_confirmed_and_keeps_its_first_consent(house: Subscribers, now: datetime) -> None:
    later = now + timedelta(days=1)
    house.add(sign_up(ANN, ["daily"]), now)
    assert house.add(sign_up(ANN, ["daily"], wanted=confirmed(now)), now) is Fate.CHANGED
    assert house.add(sign_up(ANN, ["daily"], wanted=confirmed(later)), later) is Fate.UNCHANGED
    assert house.find(ANN).subscriptions == {"daily": confirmed(now)}
    assert house.add(sign_up(ANN, ["daily"]), later) is Fate.UNCHANGED
    assert house.count("daily") == {Status.PENDING: 0, Status.CONFIRMED: 1, Status.UNSUBSCRIBED: 0}


def test_confirmed_needs_evidence(house: Subscribers, engine: Engine, now: datetime) -> None:
    with pytest.raises(PreferenceError, match="consent"):
        sign_up(ANN, ["daily"], wanted=Subscription(Status.CONFIRMED, now))
    house.add(sign_up(ANN, ["daily"]), now)
    row = {"newsletter": "x", "subscriber_id": 1, "status": "confirmed", "changed_at": now}
    with pytest.raises(IntegrityError, match="ck_subscription_consent"), engine.begin() as connection:
        connection.execute(insert(subscription), row)


@pytest.mark.parametrize("newsletter", ["daily", None])
def test_nobody_is_revived(house: Subscribers, now: datetime, newsletter: str | None) -> None:
    signup = sign_up(ANN, ["daily"], wanted=confirmed(now))
    house.add(signup, now)
    assert house.unsubscribe(ANN, newsletter, now) == ("daily",)
    assert house.unsubscribe(ANN, newsletter, now) == ()
    before = house.show(ANN)
    assert house.add(replace(signup, name="Annabel"), now) is Fate.ALREADY_UNSUBSCRIBED
    assert house.show(ANN) == before
    assert house.add(replace(signup, newsletters=("daily", "weekly")), now) is Fate.CHANGED
    assert house.show(ANN)["subscriptions"] == {"daily": "unsubscribed", "weekly": "confirmed"}


def test_unsubscribing_ends_one_or_all(house: Subscribers, now: datetime) -> None:
    house.add(sign_up(ANN, ["a", "b", "c"]), now)
    assert house.unsubscribe(ANN, "b", now, "one-click") == ("b",)
    assert house.unsubscribe(ANN, "other", now) == ()
    assert house.unsubscribe(ANN, None, now) == ("a", "c")
    history = house.show(ANN)["history"]
    assert isinstance(history, list)
    assert [(line["what"], line["newsletters"]) for line in history[1:]] == [
        ("unsubscribed", ["b"]), ("unsubscribed", ["a", "c"])
    ]  # fmt: skip


def test_suppression_beats_everything(house: Subscribers, now: datetime) -> None:
    house.add(sign_up(ANN, ["daily"]), now)
    assert house.suppress("ann@EXAMPLE.com", "complaint", now) is True
    assert house.suppress(ANN, "bounce", now) is False
    before = house.show(ANN)
    assert before["status"] == "suppressed"
    assert before["history"][-1]["reason"] == "complaint"  # type: ignore[index]
    assert house.add(sign_up(ANN, ["weekly"], wanted=confirmed(now)), now) is Fate.SUPPRESSED
    assert house.show(ANN) == before


def test_an_unknown_address_can_be_suppressed(house: Subscribers, now: datetime) -> None:
    house.suppress("bob@example.com", "asked by phone", now, detail="call of 27 May")
    shown = house.show("bob@example.com")
    assert (shown["status"], shown["subscriptions"]) == ("suppressed", {})
    assert house.add(sign_up("bob@example.com", ["daily"]), now) is Fate.SUPPRESSED
    with pytest.raises(UnknownSubscriberError):
        house.find("bob@example.com")


def test_the_reader_decides(house: Subscribers, now: datetime) -> None:
    house.add(sign_up(ANN, ["daily"], countries=["CN"]), now)
    number = house.find(ANN).id
    chosen = Preferences(countries=("sg", "JP"), frequency=Frequency.WEEKLY, timezone="Asia/Tokyo", paused_until=now)
    assert house.set_preferences(number, chosen, now) is True
    kept = replace(chosen, countries=("JP", "SG"))
    assert house.preferences(number) == kept
    assert house.set_preferences(number, chosen, now + timedelta(days=1)) is False
    assert house.add(sign_up(ANN, ["daily"], countries=["CN"], frequency="daily"), now) is Fate.UNCHANGED
    assert house.preferences(number) == kept
    assert [line["what"] for line in house.show(ANN)["history"]] == ["subscribed", "preferences"]  # type: ignore[attr-defined]


def test_preferences_are_checked(house: Subscribers, now: datetime) -> None:
    house.add(sign_up(ANN, ["daily"]), now)
    for bad in (Preferences(countries=()), Preferences(countries=("XX",)), Preferences(timezone="Mars/Base")):
        with pytest.raises(PreferenceError):
            house.set_preferences(1, bad, now)
    assert house.preferences(1) == Preferences()


def test_strangers_are_named(house: Subscribers, now: datetime) -> None:
    for ask in (house.show, house.find, lambda who: house.unsubscribe(who, None, now)):
        with pytest.raises(UnknownSubscriberError, match=r"nobody@example\.com") as caught:
            ask("nobody@example.com")
        assert caught.value.exit_code == 2
        with pytest.raises(AddressError):
            ask("nobody")
    with pytest.raises(UnknownSubscriberError, match="number 7"):
        house.get(7)


def test_pages_follow_the_numbers(house: Subscribers, now: datetime) -> None:
    for number in range(5):
        house.add(sign_up(f"reader{number}@example.com", ["daily"]), now)
    first = house.page(limit=3)
    second = house.page(after=first[-1].id, limit=3)
    assert [held.email for held in first + second] == [f"reader{number}@example.com" for number in range(5)]


@pytest.mark.parametrize("name", ["email", "Status", "", " plan", "a\nb"])
def test_attributes_cannot_take_the_names_of_columns(name: str) -> None:
    with pytest.raises(PreferenceError, match="attribute"):
        sign_up(ANN, ["daily"], attributes={name: "x"})


def test_numbers_of_erased_subscribers_do_not_come_back(house: Subscribers, engine: Engine, now: datetime) -> None:
    house.add(sign_up(ANN, ["daily"]), now)
    with engine.begin() as connection:
        connection.execute(subscription.delete())
        connection.execute(subscriber_event.delete())
        connection.execute(subscriber.delete())
    house.add(sign_up("bob@example.com", ["daily"]), now)
    assert house.find("bob@example.com").id == 2


def test_naive_datetimes_are_not_stored(house: Subscribers, engine: Engine, now: datetime) -> None:
    with pytest.raises(StatementError, match="no UTC offset"):
        house.suppress(ANN, "bounce", now.replace(tzinfo=None))
    with engine.connect() as connection:
        assert connection.scalar(select(subscriber.c.id)) is None


def test_an_unsubscribe_during_an_import_stays(engine: Engine, house: Subscribers, now: datetime) -> None:
    """What was read before the unsubscribe cannot undo it when it is written afterwards."""
    from subscribers.records import find_subscribers, save

    house.add(sign_up(ANN, ["daily"]), now)
    with engine.connect() as connection:
        held = find_subscribers(connection, subscriber.c.id == 1)[0]
    house.unsubscribe(ANN, None, now)
    after = replace(held, subscriptions={"daily": confirmed(now)})
    with engine.begin() as connection:
        save(connection, {held.address.key: held}, {held.address.key: after}, [], now)
    assert house.find(ANN).subscriptions["daily"].status is Status.UNSUBSCRIBED
