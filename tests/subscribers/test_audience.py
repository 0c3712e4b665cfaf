"""The audience: every candidate has exactly one fate, and who left in between is not mailed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert

from subscribers.audience import Audience, still_wanted
from subscribers.database import writing
from subscribers.errors import SegmentError
from subscribers.house import Subscribers
from subscribers.model import Exclusion, Group, Preferences, Status, Subscription
from subscribers.signups import sign_up
from subscribers.tables import subscriber, subscription

DAILY = {"frequency": "daily"}


def fates(engine: Engine, now: datetime, segment: Mapping[str, object] | None = None) -> Counter[Exclusion | None]:
    """How many candidates have each fate."""
    found: Counter[Exclusion | None] = Counter()
    with engine.connect() as connection:
        for group in Audience(connection, "daily", segment or DAILY, now).groups():
            found[group.excluded] += group.subscribers
    return found


def recipients(engine: Engine, now: datetime, segment: Mapping[str, object] | None = None) -> list[tuple[int, str]]:
    """Number and address of who is mailed, in their order."""
    with engine.connect() as connection:
        audience = Audience(connection, "daily", segment or DAILY, now)
        labels = {group.profile: "x" for group in audience.groups() if group.excluded is None}
        return [(row[0], row[1]) for row in connection.execute(audience.recipients(labels))]


def confirmed(now: datetime) -> Subscription:
    return Subscription(Status.CONFIRMED, now, "form")


@pytest.fixture
def crowd(house: Subscribers, now: datetime) -> Subscribers:
    """One reader for every fate, by name."""
    for name in ("plain", "paused", "back", "gone", "both", "suppressed"):
        house.add(sign_up(f"{name}@example.com", ["daily"], countries=["CN"], wanted=confirmed(now)), now)
    house.add(sign_up("weekly@example.com", ["daily"], frequency="weekly", wanted=confirmed(now)), now)
    house.add(sign_up("pending@example.com", ["daily"]), now)
    house.add(sign_up("pending-suppressed@example.com", ["daily"]), now)
    house.add(sign_up("elsewhere@example.com", ["other"], wanted=confirmed(now)), now)
    for name, hours in (("paused", 1), ("back", -1)):
        chosen = Preferences(countries=("CN",), paused_until=now + timedelta(hours=hours))
        house.set_preferences(house.find(f"{name}@example.com").id, chosen, now)
    for name in ("gone", "both"):
        house.unsubscribe(f"{name}@example.com", "daily", now)
    for name in ("both", "suppressed", "pending-suppressed"):
        house.suppress(f"{name}@example.com", "complaint", now)
    return house


def test_every_candidate_has_one_fate(crowd: Subscribers, engine: Engine, now: datetime) -> None:
    assert fates(engine, now) == {
        None: 2,
        Exclusion.PAUSED: 1,
        Exclusion.UNSUBSCRIBED: 1,
        Exclusion.SUPPRESSED: 2,
        Exclusion.FREQUENCY: 1,
    }
    assert [email for _, email in recipients(engine, now)] == ["plain@example.com", "back@example.com"]


def test_readers_of_one_mind_are_one_group(house: Subscribers, engine: Engine, now: datetime) -> None:
    chosen = {"countries": ["JP", "CN"], "language": "zh-Hans", "timezone": "Asia/Tokyo"}
    for name in ("ann@bücher.example", "cy@example.com"):
        house.add(sign_up(name, ["daily"], name="Someone", **chosen, wanted=confirmed(now)), now)
    house.add(sign_up("bob@example.com", ["daily"], wanted=confirmed(now)), now)
    with engine.connect() as connection:
        audience = Audience(connection, "daily", DAILY, now)
        two, one = audience.groups()
        assert replace(two, profile="") == Group("", ("CN", "JP"), "zh-Hans", "Asia/Tokyo", None, 2)
        assert replace(one, profile="") == Group("", None, None, None, None, 1)
        labels, waits = {two.profile: "CN.zh", one.profile: "all.en"}, {one.profile: now + timedelta(hours=3)}
        both = connection.execute(audience.recipients(labels, waits)).all()
        assert both == [
            (1, "ann@xn--bcher-kva.example", "Someone", "CN.zh", None),
            (2, "cy@example.com", "Someone", "CN.zh", None),
            (3, "bob@example.com", "", "all.en", now + timedelta(hours=3)),
        ]
        assert connection.execute(audience.recipients({one.profile: "all.en"}, waits)).all() == both[2:]
        assert connection.execute(audience.recipients({})).all() == []


def test_segments_look_at_attributes(house: Subscribers, engine: Engine, now: datetime) -> None:
    for name, plan in (("ann", "gold"), ("bob", "free"), ("cy", "gold\nline")):
        attributes = {"plan": plan}
        house.add(sign_up(f"{name}@example.com", ["daily"], attributes=attributes, wanted=confirmed(now)), now)
    gold = {"attributes": {"plan": "gold"}}
    assert fates(engine, now, gold) == {None: 1, Exclusion.FREQUENCY: 2}
    assert recipients(engine, now, gold) == [(1, "ann@example.com")]


def test_a_bad_segment_is_told(engine: Engine, now: datetime) -> None:
    with pytest.raises(SegmentError):
        fates(engine, now, {"colour": "red"})


READERS = st.lists(
    st.tuples(
        st.sampled_from(list(Status)),
        st.sampled_from(["daily", "weekly"]),
        st.sampled_from([None, ["CN"], ["JP", "SG"]]),
        st.booleans(),
        st.sampled_from([None, -1, 1]),
    ),
    max_size=25,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(READERS)
def test_the_books_balance(
    tmp_path: Path,
    empty_database: bytes,
    now: datetime,
    readers: list[tuple[Status, str, list[str] | None, bool, int | None]],
) -> None:
    path = tmp_path / "books.db"
    path.write_bytes(empty_database)
    engine = create_engine(f"sqlite:///{path}")
    house = Subscribers(engine)
    for number, (status, frequency, countries, suppressed, pause) in enumerate(readers, 1):
        email = f"r{number}@example.com"
        wanted = Subscription(Status.PENDING) if status is Status.PENDING else confirmed(now)
        house.add(sign_up(email, ["daily"], frequency=frequency, countries=countries, wanted=wanted), now)
        if pause:
            chosen = house.preferences(number)
            paused = Preferences(
                countries=chosen.countries,
                frequency=chosen.frequency,
                paused_until=now + timedelta(hours=pause),
            )
            house.set_preferences(number, paused, now)
        if status is Status.UNSUBSCRIBED:
            house.unsubscribe(email, None, now)
        if suppressed:
            house.suppress(email, "bounce", now)
    segment = {"frequency": "daily", "country_any": ["CN"]}
    books = fates(engine, now, segment)
    asked = [number for number, (status, *_) in enumerate(readers, 1) if status is not Status.PENDING]
    expected = [
        number
        for number, (status, frequency, countries, suppressed, pause) in enumerate(readers, 1)
        if status is Status.CONFIRMED and frequency == "daily" and countries != ["JP", "SG"]
        if not suppressed and pause != 1
    ]
    assert [number for number, _ in recipients(engine, now, segment)] == expected
    assert books[None] == len(expected)
    assert books[None] + sum(books[reason] for reason in Exclusion) == len(asked)
    with writing(engine) as connection:
        assert set(expected) <= still_wanted(connection, "daily", asked)
    engine.dispose()


def test_many_recipients_come_in_order_once_each(house: Subscribers, engine: Engine, now: datetime) -> None:
    people = [
        {"id": number, "email": f"r{number}@example.com", "address_key": f"r{number}@example.com"}
        | {"name": "", "frequency": "daily", "attributes": {}, "created_at": now}
        for number in range(1, 12_001)
    ]
    asked = [
        {"subscriber_id": number, "newsletter": "daily", "status": "confirmed"}
        | {"consent_at": now, "consent_source": "form", "changed_at": now}
        for number in range(1, 12_001)
    ]
    with engine.begin() as connection:
        connection.execute(insert(subscriber), people)
        connection.execute(insert(subscription), asked)
    seen = [number for number, _ in recipients(engine, now, {"language": ["en", "zh"]})]
    assert seen == [*range(1, 12_001)]
    with writing(engine) as connection:
        assert len(still_wanted(connection, "daily", seen)) == 12_000


def test_who_left_after_the_freeze_is_not_wanted(crowd: Subscribers, engine: Engine, now: datetime) -> None:
    crowd.add(sign_up("later@example.com", ["daily"], wanted=confirmed(now)), now)
    crowd.add(sign_up("complains@example.com", ["daily"], wanted=confirmed(now)), now)
    frozen = [number for number, _ in recipients(engine, now)]
    crowd.unsubscribe("later@example.com", "daily", now)
    crowd.suppress("complains@example.com", "complaint", now)
    with writing(engine) as connection:
        wanted = still_wanted(connection, "daily", frozen)
        assert still_wanted(connection, "other", frozen) == set()
        assert still_wanted(connection, "daily", []) == set()
    assert wanted == {crowd.find(f"{name}@example.com").id for name in ("plain", "back")}


def race(house: Subscribers, engine: Engine, address: str, now: datetime) -> list[str]:
    """Which came first: the reader was told that they are out, or the intent to mail them was about to commit."""
    house.add(sign_up(address, ["daily"], wanted=confirmed(now)), now)
    number = house.find(address).id
    start = threading.Barrier(2)
    order: list[str] = []

    def leave() -> None:
        start.wait()
        house.unsubscribe(address, "daily", now)
        order.append("left")

    leaving = threading.Thread(target=leave)
    leaving.start()
    start.wait()
    with writing(engine) as connection:
        if number in still_wanted(connection, "daily", [number]):
            order.append("intended")
    leaving.join()
    return order


def test_an_unsubscribe_answered_before_the_intent_is_honoured(
    house: Subscribers, engine: Engine, now: datetime
) -> None:
    for turn in range(30):
        assert race(house, engine, f"r{turn}@example.com", now) in (["left"], ["intended", "left"])
