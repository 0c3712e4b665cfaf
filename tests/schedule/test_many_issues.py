"""Many issues due in the same minute, over one mail server: all get their share, and what is urgent goes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.model import Books, IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending as newsroom_sending
from newsletter.schedule import clockwork
from newsletter.storage.tables import lane

from ..servers import wait_until
from .scene import DAY, Remembering, approve, make_desk, sending, serving, submitted

pytestmark = pytest.mark.alone

COUNTRIES, READERS, RATE = 12, 40, 100


def test_twelve_newsletters_share_a_relay_fairly_and_breaking_news_goes_ahead(
    tmp_path: Path, database_url: str
) -> None:
    countries = [f"n{number}" for number in range(COUNTRIES)]
    server = Remembering()
    with serving(server):
        environ = {
            "NEWSLETTER_DATABASE_URL": database_url,
            "NEWSLETTER_SMTP_URL": f"{server.url}?rate={RATE}/s&connections=8",
        }
        make_desk(tmp_path, environ, dict.fromkeys(countries, READERS) | {"breaking": 60})
        with sending(tmp_path, environ) as room:
            approve(room, *countries)
            wait_until(lambda: len(server.order) >= COUNTRIES * READERS / 3)
            approve(room, "breaking")
            wait_until(lambda: submitted(room, *countries, "breaking"))
    names = [name for name, _ in server.order]
    assert Counter(names) == dict.fromkeys(countries, READERS) | {"breaking": 60}, "each reader once"
    assert max(server.taken.values()) == 1
    assert server.most_open <= 8, "the lines are those of the process, however many issues it sends"
    first, last = names.index("breaking"), len(names) - names[::-1].index("breaking")
    assert last - first - 60 <= RATE / 2, "but for what was leaving at that moment, nobody goes between"
    assert last < len(names), "and the others go on behind it"
    took = server.order[-1][1] - server.order[0][1]
    fair = len(names) / RATE
    print(
        f"\n{len(names)} messages of {COUNTRIES + 1} issues at {RATE}/s: {took:.2f} s, {took / fair:.2f} of fair share"
    )
    assert took <= 1.2 * fair + 3, "nearly all of the relay's time was used"


def test_a_broken_issue_and_a_slow_one_hold_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three issues one cannot be sent and one never ends; a place is enough for the third, and a stop ends all."""
    tried: Counter[str] = Counter()
    whole = newsroom_sending.send

    def send(room: Newsroom, issue_id: IssueId, *, stop: Callable[[], bool]) -> Books:
        tried[issue_id.newsletter] += 1
        if issue_id.newsletter == "broken":
            raise ValueError("nobody thought of this")
        if issue_id.newsletter == "slow":
            wait_until(stop)
        return whole(room, issue_id, stop=stop)

    monkeypatch.setattr(newsroom_sending, "send", send)
    monkeypatch.setattr(clockwork, "AT_ONCE", 2)
    server = Remembering()
    with serving(server):
        environ = {"NEWSLETTER_SMTP_URL": server.url}
        make_desk(tmp_path, environ, {"slow": 3, "broken": 3, "third": 3})
        with sending(tmp_path, environ) as room:
            approve(room, "slow", "broken", "third")
            wait_until(lambda: submitted(room, "third") and tried["broken"] >= 2, 30)
            assert room.issues.get(IssueId("slow", DAY)).state is IssueState.APPROVED
        assert room.issues.get(IssueId("slow", DAY)).state is IssueState.SENDING, "a stop waits for what was begun"
    assert tried["slow"] == 1, "an issue is sent once at a time"


def test_what_is_more_urgent_than_all_under_way_needs_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way: list[str] = []

    def send(room: Newsroom, issue_id: IssueId, *, stop: Callable[[], bool]) -> Books:
        under_way.append(issue_id.newsletter)
        wait_until(stop)
        return room.issues.books(issue_id)

    monkeypatch.setattr(newsroom_sending, "send", send)
    monkeypatch.setattr(clockwork, "AT_ONCE", 2)
    make_desk(tmp_path, {}, {"a": 1, "b": 1, "c": 1, "breaking": 1})
    with sending(tmp_path, {}) as room:
        approve(room, "a", "b", "c")
        wait_until(lambda: len(under_way) == 2)
        approve(room, "breaking")
        wait_until(lambda: len(under_way) == 3)
    assert under_way[2] == "breaking"


def test_an_issue_that_is_spread_over_a_time_takes_that_long(tmp_path: Path) -> None:
    server = Remembering()
    with serving(server):
        environ = {"NEWSLETTER_SMTP_URL": server.url}
        make_desk(tmp_path, environ, {"calm": 40}, ", delivery: {spread: 2s}, priority: 9")
        with sending(tmp_path, environ) as room:
            approve(room, "calm")
            wait_until(lambda: submitted(room, "calm"))
        with Newsroom.open(tmp_path, environ=environ) as room, room.database.read() as connection:
            lanes = connection.execute(sa.select(lane.c.name, lane.c.urgent)).all()
    assert lanes == [], "it goes ahead of nobody, and what it needed for itself is thrown away"
    times = [at for _, at in server.order]
    assert len(times) == 40
    assert times[-1] - times[0] >= 1.5, "the first of ten windows leaves at once"


@pytest.mark.parametrize("rate", ["", "&rate=100/s"])
def test_breaking_news_of_another_process_goes_ahead_too(tmp_path: Path, database_url: str, rate: str) -> None:
    """Two desks opened on one database share no line and no memory; what they share is the relay's lane."""
    server = Remembering(delay=0.002 if not rate else 0)
    with serving(server):
        environ = {
            "NEWSLETTER_DATABASE_URL": database_url,
            "NEWSLETTER_SMTP_URL": f"{server.url}?connections=2{rate}",
            "NEWSLETTER_NOW": "2026-05-27T07:00:00Z",
        }
        make_desk(tmp_path, environ, {"daily": 1000 if not rate else 300, "breaking": 60})
        with sending(tmp_path, environ) as room, Newsroom.open(tmp_path, environ=environ) as other:
            approve(room, "daily")
            wait_until(lambda: len(server.order) >= 30)
            approve(other, "breaking")
            newsroom_sending.send(other, IssueId("breaking", DAY))
            behind = [name for name, _ in server.order]
    first, last = behind.index("breaking"), len(behind) - behind[::-1].index("breaking")
    assert len(behind) < 60 + (1000 if not rate else 300), "the other was not at its end"
    if rate:
        assert last - first - 60 <= RATE / 2, "but for what was leaving at that moment, nobody goes between"
