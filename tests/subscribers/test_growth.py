"""How subscriptions came and went, from histories; on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine

from subscribers.addresses import parse_address
from subscribers.database import upgrade
from subscribers.growth import Change, Ending
from subscribers.house import Subscribers
from subscribers.model import PENDING, SignUp, Status, Subscription

MONDAY = datetime(2026, 5, 25, 23, 59, 59, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(seconds=1)
FAR = timedelta(days=9)


@pytest.fixture
def both(database_url: str) -> Iterator[Subscribers]:
    url = database_url.replace("postgresql:", "postgresql+psycopg:")
    engine: Engine = create_engine(url)
    upgrade(engine)
    yield Subscribers(engine)
    engine.dispose()


def sign(house: Subscribers, address: str, now: datetime, *names: str, confirmed: bool = True) -> None:
    wanted = Subscription(Status.CONFIRMED, now, "form") if confirmed else PENDING
    house.add(SignUp(address=parse_address(address), newsletters=names, wanted=wanted), now)


def test_confirmed_and_ended_by_day_and_newsletter(both: Subscribers) -> None:
    sign(both, "a@example.com", MONDAY, "asia", "japan")
    sign(both, "b@example.com", MONDAY, "asia", confirmed=False)
    sign(both, "b@example.com", TUESDAY, "asia")
    sign(both, "c@example.com", TUESDAY, "asia")
    both.unsubscribe("a@example.com", None, TUESDAY)
    both.unsubscribe("c@example.com", "asia", TUESDAY, issue="asia/2026-05-26")
    both.unsubscribe("c@example.com", "asia", TUESDAY)
    assert both.changes(MONDAY - FAR, MONDAY + FAR) == [
        Change(date(2026, 5, 25), "asia", 1, 0),
        Change(date(2026, 5, 25), "japan", 1, 0),
        Change(date(2026, 5, 26), "asia", 2, 2),
        Change(date(2026, 5, 26), "japan", 0, 1),
    ]
    assert both.changes(TUESDAY, TUESDAY + FAR)[0].day == date(2026, 5, 26), "the end is open, the start is not"
    assert both.changes(MONDAY - FAR, MONDAY) == []
    first, third = (both.find(f"{name}@example.com").id for name in "ac")
    assert both.endings(TUESDAY, TUESDAY + FAR) == [
        Ending(first, "asia", None, TUESDAY),
        Ending(first, "japan", None, TUESDAY),
        Ending(third, "asia", "asia/2026-05-26", TUESDAY),
    ]
