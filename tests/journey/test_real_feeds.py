"""Real feeds in, a real mail server out: each reader gets one message with their countries only."""

from __future__ import annotations

import email
import email.policy
import itertools
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urljoin

import pytest

from .conftest import Desk, FeedServer, Mailbox, schedule

pytestmark = pytest.mark.alone

XML = (".xml", ".atom", ".rdf")
COUNTRIES = ("CN", "JP", "KR", "IN", "US", "GB", "FR", "ID")
NEWSLETTER = "asia-ai-daily"


@pytest.fixture
def gathered(desk: Desk, feed_server: FeedServer, test_data: Path) -> Desk:
    """A desk with a source for each real feed, gathered once."""
    feeds = sorted(path for path in (test_data / "feeds").iterdir() if path.suffix in XML)
    feed_server.files = {path.name: path.read_bytes() for path in feeds}
    sources = {
        path.stem.replace(".", "-"): (
            f"kind: feed, url: {feed_server.address}/{path.name}, outlet: Outlet {number},"
            f" country: {country}, allow_private: true, section: News"
        )
        for number, (path, country) in enumerate(zip(feeds, itertools.cycle(COUNTRIES)))
    }
    desk.write("schedule.yaml", schedule(sources, ", ".join(COUNTRIES), at_most="9999d", most=24))
    desk.write("readers.csv", readers())
    desk.run("gather")
    desk.run("subscribers", "import", "readers.csv", "--newsletter", NEWSLETTER, "--consent-source", "test")
    return desk


def readers() -> str:
    """200 confirmed readers: every pair of countries in turn, each country alone, and all of them."""
    sets = [*itertools.combinations(COUNTRIES, 2), *((each,) for each in COUNTRIES), ()]
    lines = ["email,countries,status,consent_at"]
    for number, countries in zip(range(200), itertools.cycle(sets)):
        lines.append(f"reader{number}@example.com,{';'.join(countries)},confirmed,2026-01-01T00:00:00Z")
    return "\n".join(lines) + "\n"


def wanted_countries() -> dict[str, set[str]]:
    """The countries that each reader asked for."""
    rows = [line.split(",") for line in readers().splitlines()[1:]]
    return {row[0]: set(row[1].split(";")) if row[1] else set(COUNTRIES) for row in rows}


def test_a_second_gather_is_answered_304_and_writes_nothing(gathered: Desk, feed_server: FeedServer) -> None:
    before = gathered.json("stories", "list")
    assert len(before) > 500
    assert {status for _, status in feed_server.answered} == {200}
    feed_server.answered.clear()
    polled = gathered.json("gather")
    assert {status for _, status in feed_server.answered} == {304}
    assert all(each["unchanged"] for each in polled)
    assert gathered.json("stories", "list") == before
    assert {story["revision"] for story in before} == {1}


def test_stories_equal_what_was_read_by_hand(gathered: Desk, feed_server: FeedServer, test_data: Path) -> None:
    stories = gathered.json("stories", "list")
    for path in sorted((test_data / "feeds").glob("*.expected.json")):
        expected = json.loads(path.read_text(encoding="utf-8"))
        if not expected["file"].endswith(XML):
            continue
        source = Path(expected["file"]).stem.replace(".", "-")
        mine = [story for story in stories if story["source"] == source]
        assert mine, source
        for entry in expected["entries"]:
            # A relative link is meant from where the feed was fetched, which is here our own server.
            relative = entry.get("link_raw")
            link = urljoin(f"{feed_server.address}/{expected['file']}", relative) if relative else entry["link"]
            matching = [story for story in mine if story["url"] == link]
            assert matching, (source, link)
            story = matching[0]
            assert squeeze(story["title"]) == squeeze(entry["title"])
            assert story["guid"] == entry["id"]
            assert squeeze("; ".join(story["byline"])) == squeeze(entry["author"] or "")
            tags = [*story["tags"], *(f"{name}:{value}" for name, value in story["machine_tags"].items())]
            assert {squeeze(tag) for tag in entry["categories"]} <= {squeeze(tag) for tag in tags}
            accepted = entry.get("published_accept") or [entry["published"]]
            stamp = story["published_at"].replace("+00:00", "Z") if story["published_precision"] != "fetched" else None
            assert stamp in accepted, (source, story["published_at"], accepted)


def squeeze(text: str) -> str:
    """Every run of white space as one space."""
    return re.sub(r"\s+", " ", text).strip()


def approved_issue(desk: Desk) -> str:
    issue = desk.run("issue", "build", NEWSLETTER).stdout.strip()
    assert desk.json("issue", "check", issue, code=None) is not None
    desk.run("issue", "approve", issue, "--by", "chief@example.com")
    return issue


def sections(desk: Desk, issue: str) -> dict[str, list[str]]:
    """The headlines of each country of the issue."""
    shown = desk.json("issue", "show", issue)
    return {each["country"]: [story["title"] for story in each["stories"]] for each in shown["sections"]}


def check_messages(desk: Desk, issue: str, taken: list[tuple[str, bytes]]) -> None:
    """Each reader exactly once, with all of their countries' headlines and no other's."""
    wanted = wanted_countries()
    assert Counter(address for address, _ in taken) == Counter(dict.fromkeys(wanted, 1))
    headlines = sections(desk, issue)
    assert set(headlines) == set(COUNTRIES)
    for address, content in taken:
        message = email.message_from_bytes(content, policy=email.policy.default)
        part = message.get_body(("plain",))
        assert part is not None
        text = squeeze(part.get_content()).replace(" ", "")
        for country, titles in headlines.items():
            for title in titles:
                there = squeeze(title).replace(" ", "") in text
                assert there == (country in wanted[address]), (address, country, title)
    books = desk.json("issue", "status", issue)
    assert books["balanced"]
    assert books["state"] == "submitted"
    assert books["candidates"] == books["deliveries"]["submitted"] == 200


def test_200_readers_through_a_server_with_starttls(gathered: Desk, mailbox: Mailbox) -> None:
    gathered.environ["NEWSLETTER_SMTP_URL"] = mailbox.url
    issue = approved_issue(gathered)
    gathered.run("issue", "send", issue)
    assert all(mailbox.tls_seen)
    check_messages(gathered, issue, mailbox.taken)
    assert gathered.run("issue", "send", issue, code=4).stdout == ""
    assert len(mailbox.taken) == 200


def test_200_readers_through_smtp_sink(gathered: Desk, sink: tuple[str, Path]) -> None:
    url, caught = sink
    gathered.environ["NEWSLETTER_SMTP_URL"] = url
    issue = approved_issue(gathered)
    gathered.run("issue", "send", issue)
    taken = [caught_message(path.read_bytes()) for path in caught.iterdir()]
    check_messages(gathered, issue, taken)


def caught_message(data: bytes) -> tuple[str, bytes]:
    """Recipient and content of a message that smtp-sink kept: its own fields stand before ours."""
    recipient = re.search(rb"^X-Rcpt-Args: <([^>]+)>", data, re.MULTILINE)
    assert recipient, data[:400]
    return recipient[1].decode(), data
