"""Links that answer and those that do not, and what SpamAssassin says, asked when an editor asks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ChecksFailedError
from newsletter.gather import network, why_unreachable
from newsletter.model import Kind, NoteOrigin, Sender, Severity, Snapshot, Sponsor, Story
from newsletter.newsroom import Newsroom
from newsletter.newsroom.issue import issues, looking, preflight
from tests.servers import Answering, serving

from .conftest import NOW


class Site(Answering):
    def do_GET(self) -> None:
        if self.path.startswith("/slow"):
            time.sleep(3)
        status = {"/gone": 410, "/missing": 404, "/broken": 503, "/guarded": 403, "/moved": 301, "/around": 302}
        self.send_response(status.get(self.path, 200))
        if self.path in ("/moved", "/around"):
            self.send_header("Location", "/missing" if self.path == "/moved" else "/around")
        self.end_headers()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving(Site) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site on this machine counts as one of the internet."""
    monkeypatch.setattr(network, "is_outside", lambda address: True)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/there", None), ("/guarded", None), ("/missing", "answers 404 Not Found"), ("/gone", "answers 410 Gone"),
        ("/broken", "answers 503 Service Unavailable"), ("/moved", "answers 404 Not Found"),
        ("/around", "redirects more than 5 times"),
    ],
)  # fmt: skip
def test_why_a_link_leads_nowhere(site: str, outside: None, path: str, why: str | None) -> None:
    assert why_unreachable(site + path, 5) == why


def test_a_link_that_is_slow_or_inside(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "leads to an inside address" in str(why_unreachable(f"{site}/there", 5))
    monkeypatch.setattr(network, "is_outside", lambda address: True)
    assert "does not answer" in str(why_unreachable(f"{site}/slow", 0.3))
    assert "does not answer" in str(why_unreachable("http://127.0.0.1:9/", 2))


def snapshot_of(*addresses: str, sponsor: Sponsor | None = None) -> Snapshot:
    from newsletter.model import CountrySection, PlacedStory

    usual: dict[str, Any] = {"source": "w", "title": "T", "outlet": "O", "published_at": NOW, "country": "CN"}
    placed = tuple(PlacedStory(Story(external_id=str(n), url=url, **usual)) for n, url in enumerate(addresses))
    return Snapshot(
        newsletter="n", date=NOW.date(), title="N", template="daily", sender=Sender("N", "n@example.com"),
        postal_address="1 Road", timezone="UTC", languages=("en",), sections=(CountrySection("CN", placed),),
        lead="w:0", sponsor=sponsor,
    )  # fmt: skip


def test_each_link_that_leads_nowhere_is_named_with_its_story(site: str, outside: None) -> None:
    sponsor = Sponsor("Harbour Bank", url=f"{site}/gone")
    found = looking.unanswered(snapshot_of(f"{site}/there", f"{site}/missing", "https://a.example/x", sponsor=sponsor))
    assert [(finding.place, finding.check) for finding in found] == [("story w:1", "link"), ("sponsor", "link")]
    assert f"Its link {site}/missing answers 404 Not Found." == found[0].message


def test_slow_links_keep_nobody_waiting(site: str, outside: None) -> None:
    before = time.monotonic()
    *_, last = looking.unanswered(snapshot_of(*(f"{site}/slow{n}" for n in range(9))), seconds=1)
    assert time.monotonic() - before < 2.5
    assert re.fullmatch(r"Within 1 s, [789] of 9 links could not be looked at\.", last.message)


def test_a_machine_without_internet_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking.gather, "why_unreachable", lambda address, seconds: "does not answer (no route)")
    (finding,) = looking.unanswered(snapshot_of("https://a.com/", "https://b.com/", "https://c.com/"))
    assert finding.place == "issue"


@pytest.mark.parametrize(("points", "told"), [("6.1", True), ("2.0", True), ("1.9", False), ("-1.0", False)])
def test_what_spamassassin_says_is_told_with_its_rules(
    light_room: Newsroom, a_story: Callable[..., Story], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    points: str, told: bool,
) -> None:  # fmt: skip
    program = tmp_path / "spamassassin"
    said = f"X-Spam-Status: Maybe, score={points} required=5.0 tests=HTML_MESSAGE,\n\tLOUD_SUBJECT autolearn=no"
    asked = tmp_path / "asked"
    program.write_text(f"#!/bin/sh\necho \"$@\" >{asked}\ncat >/dev/null\nprintf '%b' '{said}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(looking.shutil, "which", lambda name: str(program))
    light_room.stories.ingest([a_story(str(n), f"Story number {n} of the day") for n in range(4)], NOW)
    issue = issues.build(light_room, "asia-ai-daily")
    found = looking.look(light_room, issue.id, links=False)
    assert [(finding.check, finding.severity) for finding in found] == [("spam", Severity.WARNING)] * told
    assert all(f"{points} points (HTML_MESSAGE, LOUD_SUBJECT)" in finding.message for finding in found)
    assert "-L" in asked.read_text(encoding="utf-8").split(), "it may ask nobody outside"


@pytest.mark.parametrize(
    ("called", "now"),
    [
        ("title", {"title": "Another headline of the day"}), ("summary", {"summary": "Other words."}),
        ("note", {"note": ("Words of a human.",), "note_origin": NoteOrigin.HUMAN}),
        ("url", {"url": "https://example.com/moved"}), ("outlet", {"outlet": "Another Wire"}),
        ("byline", {"byline": ("Nora Feng",)}), ("kind", {"kind": Kind.PRESS_RELEASE}),
    ],
)  # fmt: skip
def test_what_changed_at_its_source_since_the_draft_blocks(
    light_room: Newsroom, a_story: Callable[..., Story], called: str, now: dict[str, Any]
) -> None:
    days = {"KR": "Harbour crane falls in Busan", "JP": "Rice prices rise again", "IN": "A comet seen at dawn"}
    stories = [a_story(country, title, country=country) for country, title in days.items()]
    light_room.stories.ingest(stories, NOW - timedelta(minutes=30))
    issue = issues.build(light_room, "asia-ai-daily")
    assert [each for each in preflight.check(light_room, issue.id) if each.check == "changed story"] == []
    light_room.stories.ingest([replace(stories[1], **now)], NOW)
    (finding,) = [each for each in preflight.check(light_room, issue.id) if each.check == "changed story"]
    assert (finding.severity, finding.place) == (Severity.BLOCKING, "story wire:JP")
    assert finding.message.startswith(f"It has changed since the draft was made: {called} (")
    assert " → " in finding.message


def test_a_broken_template_is_a_finding_that_blocks(
    light_room: Newsroom, a_story: Callable[..., Story], tmp_path: Path
) -> None:
    light_room.stories.ingest([a_story(str(n), f"Story number {n} of the day") for n in range(4)], NOW)
    issue = issues.build(light_room, "asia-ai-daily")
    partials = light_room.desk / "templates" / "partials"
    partials.mkdir(parents=True)
    (partials / "about.mjml").write_text("<mj-text>a</mj-text>\n<mj-txt>b</mj-txt>\n", encoding="utf-8")
    (finding,) = [each for each in preflight.check(light_room, issue.id) if each.severity is Severity.BLOCKING]
    assert (finding.check, finding.place) == ("template", f"{partials / 'about.mjml'}:2")
    assert finding.message == "there is no MJML tag <mj-txt>."
    assert looking.look(light_room, issue.id) == []
    with pytest.raises(ChecksFailedError, match="no MJML tag"):
        issues.approve(light_room, issue.id, "chief@example.com")
