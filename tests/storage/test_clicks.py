"""Counted links and their figures, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

from newsletter.model import Edition, RenderedEdition
from newsletter.storage import Clicks, Database
from newsletter.storage.clicks import keep_links
from newsletter.storage.keys import hashed

from .test_storage import ISSUE, NOW, frozen_issue

HOUR = timedelta(hours=1)


def rendered(*stories: str, language: str = "en") -> RenderedEdition:
    links = tuple((story, f"https://outlet.example/{story}") for story in stories)
    texts = dict.fromkeys(("subject", "preheader", "html", "text"), "")
    return RenderedEdition(edition=Edition(("CN",), language), stories=1, minutes=1, links=links, **texts)


def test_a_link_has_one_key_however_often_it_is_asked_for(database: Database) -> None:
    frozen_issue(database, 1)
    clicks = Clicks(database)
    assert not clicks.counted(ISSUE)
    for _ in range(2):
        with database.write() as connection:
            editions = [rendered("a", "b"), rendered("a", language="ja")]
            keep_links(connection, ISSUE, 1, editions, hashed)
    assert clicks.counted(ISSUE)
    keys = clicks.keys(ISSUE, 1, "CN.en")
    assert set(keys) == {"a", "b"}
    link = clicks.find(keys["b"])
    assert link is not None
    assert (link.url, link.among, link.newsletter) == ("https://outlet.example/b", 2, ISSUE.newsletter)
    other = clicks.find(clicks.keys(ISSUE, 1, "CN.ja")["a"])
    assert other is not None
    assert other.among == 1
    assert other.mail != link.mail
    assert clicks.keys(ISSUE, 2, "CN.en") == {}
    for nobody in ("x" * 22, "", keys["b"][:-1], keys["b"] + "x", "ä" * 22):
        assert clicks.find(nobody) is None


def test_figures_add_up_by_story_edition_and_hour(database: Database) -> None:
    frozen_issue(database, 1)
    clicks = Clicks(database)
    for revision in (1, 2):
        with database.write() as connection:
            keep_links(connection, ISSUE, revision, [rendered("a", "b")], hashed)
    first, later = (clicks.keys(ISSUE, revision, "CN.en")["a"] for revision in (1, 2))
    clicks.count({(first, NOW): (3, 1), ("x" * 22, NOW): (1, 1)})
    clicks.count({(first, NOW): (2, 0), (later, NOW): (1, 0), (first, NOW + HOUR): (0, 4)})
    told = [(each.story, each.edition, each.hour, each.clicks, each.scanned) for each in clicks.of(ISSUE)]
    assert told == [("a", "CN.en", NOW, 6, 1), ("a", "CN.en", NOW + HOUR, 0, 4)]
