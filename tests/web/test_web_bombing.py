"""Sign-up bombing on the real server: somebody fills in other people's addresses from many networks at once."""

from __future__ import annotations

import email
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.readership import requests
from newsletter.web.public import askers

from .browsing import served
from .conftest import FLAGS, NEWSLETTER, Visitor

VICTIMS = [f"victim{number}@example.org" for number in range(9)]
KNOWN, STOPPED = VICTIMS[:3], VICTIMS[7:]
POSTS, NETWORKS, THREADS = 300, 15, 6


@pytest.fixture
def flags(database_url: str) -> dict[str, str]:
    return FLAGS | {"database_url": database_url, "trusted_proxies": "127.0.0.1"}


@pytest.fixture
def room(flags: dict[str, str], tmp_path: Path) -> Iterator[Newsroom]:
    """A desk on either database that knows three of the nine, and may not mail two."""
    desks.make_sample_desk(tmp_path / "desk")
    with Newsroom.open(tmp_path / "desk", flags, environ={}) as opened:
        desks.upgrade(opened)
        for address in KNOWN:
            opened.subscribers.add(
                requests.read_subscription(
                    opened, address, [NEWSLETTER], countries=["CN"], frequency="daily", language="en"
                ),
                opened.clock.now(),
            )
        for address in STOPPED:
            opened.subscribers.suppress(address, "complaint", opened.clock.now())
        yield opened


def bomb(room: Newsroom, posts: int = POSTS) -> set[str]:
    """The different answers, but for the address in each."""
    answers: set[str] = set()

    def post(numbers: range) -> None:
        http = HTTPConnection(address.removeprefix("http://"), timeout=60)
        for number in numbers:
            victim = VICTIMS[number % len(VICTIMS)]
            form = urlencode({"email": victim, "country": ["CN", "JP"], "frequency": "daily"}, doseq=True)
            kind = {"content-type": "application/x-www-form-urlencoded"}
            http.request("POST", "/subscribe", form, kind | {"x-forwarded-for": f"198.51.{number % NETWORKS}.9"})
            answer = http.getresponse()
            page = answer.read().decode().replace(victim, "ADDRESS")
            told = sorted(pair for pair in answer.getheaders() if pair[0] != "date")
            answers.add(f"{answer.status} {told} {page}")
        http.close()

    with served(room) as address:
        threads = [threading.Thread(target=post, args=(range(at, posts, THREADS),)) for at in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return answers


def mailed(room: Newsroom) -> Counter[str]:
    requests.carry(room)
    files = (room.outbox / "readers").glob("*.eml")
    return Counter(str(email.message_from_bytes(file.read_bytes(), policy=default)["to"]) for file in files)


def test_nine_people_get_one_mail_a_day_and_the_sender_of_the_form_learns_nothing(
    room: Newsroom, flags: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(bomb(room)) == 1
    once = Counter(set(VICTIMS) - set(STOPPED))
    assert mailed(room) == once
    later = (room.clock.now() + timedelta(hours=23)).isoformat()
    with Newsroom.open(room.desk, flags | {"now": later}, environ={}) as same_day:
        bomb(same_day, 45)
        assert mailed(same_day) == once
    later = (room.clock.now() + timedelta(hours=25)).isoformat()
    for brake in (askers._networks, askers._domains):
        monkeypatch.setattr(brake, "_failures", {})
    with Newsroom.open(room.desk, flags | {"now": later}, environ={}) as next_day:
        bomb(next_day, 45)
        assert mailed(next_day) == once + once


def test_one_mailbox_is_not_filled_by_spelling_it_differently(room: Newsroom) -> None:
    """Whether Ann@ and ann@ are one mailbox their server says; so they are two addresses, and could be thousands."""
    spellings = ["ann.lee@example.net", "Ann.Lee@example.net", "ANNLEE@Example.net", "an.n.lee@example.net"]
    tagged = [f"annlee+{number}@example.net" for number in range(8)]
    visitor = Visitor(room)
    answers = {
        visitor.http.post("/subscribe", data={"email": each, "country": "CN"}).text.replace(each, "ADDRESS")
        for each in [*spellings, *tagged, spellings[0], "bo@example.net"]
    }
    assert len(answers) == 1
    assert set(mailed(room)) == {*spellings[:3], "bo@example.net"}
