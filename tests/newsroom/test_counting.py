"""Who would get an issue, by country; who would not, by reason: counted before anything is frozen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from newsletter.cli import newsletter
from newsletter.errors import NothingToDoError
from newsletter.model import Story
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.dispatch.counting import count_issue, count_newsletter
from newsletter.newsroom.issue import issues
from subscribers.signups import Terms

from .conftest import NOW
from .test_digest import CHIEF, DAILY, set_clock

READERS = """\
email,countries,frequency,status
both@example.com,CN;JP,daily,confirmed
all@example.com,,daily,confirmed
vietnam@example.com,VN,daily,confirmed
week@example.com,CN,weekly,confirmed
gone@example.com,JP,daily,confirmed
away@example.com,JP,daily,confirmed
bad@example.com,CN,daily,confirmed
asked@example.com,CN,daily,pending
"""


def with_readers(room: Newsroom) -> None:
    set_clock(room, NOW)
    file = room.desk / "readers.csv"
    file.write_text(READERS, encoding="utf-8")
    terms = Terms(known=frozenset({DAILY}), newsletters=(DAILY,), consent_source="test")
    room.subscribers.import_file(file, terms, NOW)
    room.subscribers.unsubscribe("gone@example.com", None, NOW)
    room.subscribers.suppress("bad@example.com", "complaint", NOW)
    away = room.subscribers.find("away@example.com")
    paused = replace(away.preferences, paused_until=NOW + timedelta(days=3))
    room.subscribers.set_preferences(away.id, paused, NOW)


def test_the_count_is_what_the_books_say_once_it_is_sent(room: Newsroom, a_story: Callable[..., Story]) -> None:
    with_readers(room)
    titles = ("Wuxi opens a line", "Osaka counts its robots", "Kyoto maps the rain")
    places = zip(titles, ("CN", "JP", "JP"), strict=True)
    stories = [a_story(f"s{number}", title, country=place) for number, (title, place) in enumerate(places)]
    room.stories.ingest(stories, NOW)
    issue = issues.build(room, DAILY)
    counted = count_issue(room, issue)
    assert (counted.candidates, counted.readers) == (7, 2)
    assert counted.excluded == {"suppressed": 1, "unsubscribed": 1, "paused": 1, "frequency": 1, "no_stories": 1}
    assert counted.countries["CN"] == {"": 2, "suppressed": 1, "frequency": 1}
    assert counted.countries["JP"] == {"": 2, "unsubscribed": 1, "paused": 1}
    assert counted.countries["VN"] == {"no_stories": 2}
    assert count_newsletter(room, room.newsletter(DAILY)).countries["VN"] == {"": 2}

    issues.approve(room, issue.id, CHIEF)
    books = sending.send(room, issue.id)
    assert (books.candidates, books.deliveries["submitted"]) == (counted.candidates, counted.readers)
    assert {reason: number for reason, number in books.excluded.items() if number} == dict(counted.excluded)
    with pytest.raises(NothingToDoError, match="issue status"):
        count_issue(room, room.issues.get(issue.id))


def test_the_commands_say_it_too(light_room: Newsroom, a_story: Callable[..., Story]) -> None:
    with_readers(light_room)
    light_room.stories.ingest([a_story("s", "Wuxi opens a line", country="CN")], NOW)
    issue = issues.build(light_room, DAILY)

    def run(*words: str) -> tuple[int, str]:
        command = ["--desk", str(light_room.desk), *words]
        done = CliRunner().invoke(newsletter, command, env={"NEWSLETTER_NOW": NOW.isoformat()})
        return done.exit_code, done.stdout

    code, said = run("issue", "audience", str(issue.id), "--json")
    document = json.loads(said)
    assert (code, document["candidates"], document["readers"]) == (0, 7, 2)
    assert document["countries"]["CN"]["readers"] == 2
    assert document["candidates"] == document["readers"] + sum(document["excluded"].values())
    code, said = run("schedule", "audience", DAILY)
    assert code == 0
    assert "everybody, once" in said
    assert run("schedule", "audience", "nothing")[0] != 0
