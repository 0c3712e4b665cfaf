"""Long lists of subscribers: the same rows in the same order, whichever way they are found, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from newsletter.storage.database import Database
from subscribers import looking
from subscribers.database import upgrade
from subscribers.house import Subscribers
from subscribers.tables import subscriber, subscription

NOW = datetime(2026, 5, 27, tzinfo=UTC)
NAMES = ("daily", "weekly")
STATUSES = ("confirmed", "pending", "unsubscribed")


def key_of(number: int) -> str:
    """Addresses that locales sort unlike bytes: signs between letters, digits beside them."""
    return f"{'ab'[number % 2]}{('.', '-', '_', '', '+')[number % 5]}{number:03}@{('x', 'a.b')[number % 3 > 0]}.example"


@pytest.fixture
def house(database_url: str) -> Iterator[Subscribers]:
    with Database(database_url) as database:
        upgrade(database.engine)
        people = [
            {"id": n, "email": key_of(n), "address_key": key_of(n), "name": "", "frequency": "daily", "created_at": NOW}
            | {"attributes": {}, "countries": None}
            for n in range(1, 121)
        ]
        held = [
            {"newsletter": name, "subscriber_id": n, "status": STATUSES[(n * 7 + k) % 3], "changed_at": NOW}
            | {"consent_at": NOW, "consent_source": "test"}
            for k, name in enumerate(NAMES)
            for n in range(1, 121)
            if n % (2 + k)
        ]
        with database.write() as connection:
            connection.execute(sa.insert(subscriber), people)
            connection.execute(sa.insert(subscription), held)
        yield Subscribers(database.engine)


@pytest.mark.parametrize("few", [0, 8000])
@pytest.mark.parametrize("begins", ["", "a", "A.", "b_0", "nobody"])
def test_pages_hold_everybody_once_in_order(
    house: Subscribers, monkeypatch: pytest.MonkeyPatch, few: int, begins: str
) -> None:
    monkeypatch.setattr(looking, "_FEW", few)
    everybody = house.page(limit=1000)
    for newsletters in ((), ("daily",), NAMES):
        for status in (None, *STATUSES) if newsletters else (None,):
            wanted = [
                each
                for each in everybody
                if each.address.key.startswith(begins.lower())
                and (not newsletters or any(_holds(each, name, status) for name in newsletters))
            ]
            wanted.sort(key=lambda each: each.address.key.encode() if begins else -each.id)  # type: ignore[return-value]
            seen, below = [], None
            while page := house.look(begins=begins, newsletters=newsletters, status=status, below=below, limit=7):
                seen += page
                below = page[-1].id
            assert [each.id for each in seen] == [each.id for each in wanted], (newsletters, status)


def _holds(each: object, name: str, status: str | None) -> bool:
    kept = each.subscriptions.get(name)  # type: ignore[attr-defined]
    return kept is not None and status in (None, kept.status)


def test_counts(house: Subscribers) -> None:
    for name in NAMES:
        counts = house.count(name)
        assert {str(status): n for status, n in counts.items()} == {
            status: len(house.look(newsletters=(name,), status=status, limit=1000)) for status in STATUSES
        }
