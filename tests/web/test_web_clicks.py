"""Clicks per story: a link that says nothing of its reader, counted where a newsletter turned it on."""

from __future__ import annotations

import email
import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from newsletter.cli import newsletter
from newsletter.newsroom import Newsroom
from newsletter.storage import Role
from newsletter.storage.clicks import keep_links
from newsletter.storage.tables import click_link, click_tally, issue_progress
from newsletter.tokens import Purpose

from .browsing import faults, served
from .conftest import BASE, ISSUE, SECOND, Visitor, dump
from .test_web_crawl import BROWSER, links_of, mails
from .test_web_schedules import words

COUNTED = re.compile(rf'href="{BASE}(/to/[A-Za-z0-9_-]{{22}})"')


def html_of(room: Newsroom, reader: str, issue: object = ISSUE) -> str:
    (file,) = (room.outbox / str(issue)).glob(f"{reader}@example.org-*.eml")
    body = email.message_from_bytes(file.read_bytes(), policy=default).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def ways(room: Newsroom, reader: str = "r0") -> list[str]:
    """The counted links of a reader's mail, each once."""
    return list(dict.fromkeys(COUNTED.findall(html_of(room, reader))))


def go(room: Newsroom, path: str, *, times: int = 1, network: int = 1, **headers: str) -> Any:
    http = Visitor(room, f"203.0.{network}.9").http
    for _ in range(times):
        answer = http.get(path, headers={**BROWSER, **{name.replace("_", "-"): each for name, each in headers.items()}})
    return answer


def test_a_counted_link_is_the_same_for_all_readers_of_an_edition(busy: Newsroom) -> None:
    ours, same, other = (ways(busy, reader) for reader in ("r0", "r9", "r1"))
    assert ours == same
    assert len(ours) > 3
    assert not set(ours) & set(other)
    assert "is counted, never by whom" in html_of(busy, "r0").replace("=\n", "")
    assert not COUNTED.search(html_of(busy, "r0", SECOND))
    assert "is counted" not in html_of(busy, "r0", SECOND)
    plain = [path for letter in mails(busy, 4) for path in links_of(letter)]
    assert any(path.startswith("/to/") for path in plain)
    with busy.database.read() as connection:
        kept = {row.key: row.url for row in connection.execute(select(click_link))}
    stories = {placed.story.url for placed in busy.issues.get(ISSUE).snapshot.placed}  # type: ignore[union-attr]
    assert set(kept.values()) <= stories


def test_it_leads_where_the_story_was_and_nowhere_else(busy: Newsroom) -> None:
    before = dump(busy)
    way = ways(busy)[0]
    link = busy.clicks.find(way.rpartition("/")[2])
    assert link is not None
    for asked in (way, f"{way}?to=https://evil.example", f"{way}?url=//evil.example"):
        answer = go(busy, asked)
        assert (answer.status_code, answer.headers["location"]) == (302, link.url)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in answer.headers
        assert answer.content == b""
    elsewhere = ("/to/https://evil.example", "/to/%2f%2fevil.example")
    for nowhere in (*elsewhere, "/to/" + "x" * 22, way[:-1], way + "x", way + "/"):
        answer = go(busy, nowhere)
        assert answer.status_code == 404, nowhere
        assert "location" not in answer.headers
    assert dump(busy) == before


def test_people_are_counted_and_programs_are_not(busy: Newsroom) -> None:
    first, second, third = ways(busy)[:3]
    for network in range(12):
        go(busy, first, network=network)
    http = Visitor(busy).http
    for method in ("HEAD", "OPTIONS"):
        http.request(method, second, headers=BROWSER)
    go(busy, second, sec_purpose="prefetch;prerender")
    for agent in ("Mozilla/5.0 (compatible; bingbot/2.0)", "", "python-requests/2.32"):
        go(busy, third, times=4, user_agent=agent)
    busy.click_counter.close()
    found = {each.story: (each.clicks, each.scanned) for each in busy.clicks.of(ISSUE)}
    keys = busy.clicks.keys(ISSUE, 2, next(iter(each.edition for each in busy.clicks.of(ISSUE))))
    by_key = {key: found.get(story) for story, key in keys.items()}
    assert by_key[first.rpartition("/")[2]] == (12, 0)
    assert by_key[second.rpartition("/")[2]] is None
    assert by_key[third.rpartition("/")[2]] == (0, 12)


def test_a_sweep_is_counted_apart_from_its_first_click_on(busy: Newsroom) -> None:
    all_of_them = ways(busy)
    for way in all_of_them:
        go(busy, way, network=7)
    go(busy, all_of_them[0], network=8)
    busy.click_counter.close()
    found = busy.clicks.of(ISSUE)
    assert sum(each.scanned for each in found) == len(all_of_them)
    assert sum(each.clicks for each in found) == 1


def test_a_newsletter_that_no_longer_counts_leads_on_and_counts_nothing(busy: Newsroom) -> None:
    text = busy.plan_file.read_text(encoding="utf-8")
    busy.plan_file.write_text(text.replace("clicks: true", "clicks: false"), encoding="utf-8")
    assert go(busy, ways(busy)[0], times=3).status_code == 302
    busy.click_counter.close()
    assert busy.clicks.of(ISSUE) == []


def test_nothing_that_is_kept_tells_who_it_was(busy: Newsroom) -> None:
    for way in ways(busy)[:3]:
        go(busy, way, network=77)
    busy.click_counter.close()
    kept = "\n".join(dump(busy))
    assert "203.0.77" not in kept
    assert {column.name for column in click_tally.columns} == {"key", "hour", "clicks", "scanned"}
    assert not {"subscriber", "reader", "delivery", "email"} & {column.name for column in click_link.columns}


@pytest.fixture
def followed(busy: Newsroom) -> Newsroom:
    """Figures of some hours: 120 of the first story, 34 of the second, 9 of the third, the fourth swept."""
    start = busy.clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    keys = [way.rpartition("/")[2] for way in ways(busy)[:4]]
    for number, key in ((120, keys[0]), (34, keys[1]), (9, keys[2])):
        busy.clicks.count({(key, start + timedelta(hours=at)): (number // 3 + (at < number % 3), 0) for at in range(3)})
    busy.clicks.count({(keys[3], start): (0, 40)})
    return busy


@pytest.mark.parametrize("place", [f"/issues/{ISSUE}", f"/after?day={ISSUE.date}"])
def test_the_screens_tell_no_figure_under_ten(followed: Newsroom, place: str) -> None:
    said = words(Visitor(followed).enter(Role.VIEWER).http.get(place).text)
    table = said.partition("Clicks by story")[2]
    assert re.search(r"\b120\b.*\b34\b.*under ten", table)
    assert not re.search(r"\b9\b", table.partition("counted apart")[0])
    assert "counted apart: 40" in table
    assert "Clicks" not in words(Visitor(followed).http.get(f"/issues/{SECOND}").text)


def test_a_command_tells_the_same(followed: Newsroom) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(newsletter, ["--desk", str(followed.desk), "issue", "clicks", *words])

    told = json.loads(run(str(ISSUE), "--json").stdout)
    assert told["counted"] is True
    assert [each["clicks"] for each in told["stories"]][:3] == [120, 34, None]
    assert sum(each["clicks"] for each in told["hours"]) == 154
    assert told["scanned"] == 40
    assert "under ten" in run(str(ISSUE)).output
    nothing = {"issue": str(SECOND), "counted": False, "stories": [], "hours": [], "scanned": None}
    assert json.loads(run(str(SECOND), "--json").stdout) == nothing
    assert run("no-such/2026-05-27").exit_code == 1


def test_an_issue_that_few_have_got_tells_nothing(followed: Newsroom) -> None:
    def clicks() -> Any:
        command = ["--desk", str(followed.desk), "issue", "clicks", str(ISSUE), "--json"]
        return json.loads(CliRunner().invoke(newsletter, command).stdout)

    assert clicks()["scanned"] == 40
    with followed.database.write() as connection:
        connection.execute(update(issue_progress).values(submitted=9))
    told = clicks()
    assert (told["counted"], told["hours"], told["scanned"]) == (True, [], None)
    assert {each["clicks"] for each in told["stories"]} == {None}
    said = words(Visitor(followed).enter(Role.VIEWER).http.get(f"/issues/{ISSUE}").text)
    assert "120" not in said.partition("Clicks by story")[2].partition("counted apart")[0]


@pytest.fixture
def shown(followed: Newsroom) -> Iterator[tuple[str, str]]:
    chief = followed.accounts.add("chief@desk.example", Role.ADMIN, followed.clock.now())
    session = followed.accounts.open_session(chief, followed.clock.now())
    with served(followed) as address:
        yield address, session


@pytest.mark.parametrize("place", [f"/issues/{ISSUE}#checks", f"/after?day={ISSUE.date}"])
def test_the_figures_are_for_everybody_to_read(shown: tuple[str, str], browser: Any, place: str) -> None:
    address, session = shown
    context = browser.new_context(viewport={"width": 1280, "height": 812}, bypass_csp=True)
    context.add_cookies([{"name": "newsletter-session", "value": session, "url": address}])
    page = context.new_page()
    page.goto(address + place)
    for width, scheme in ((1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")):
        page.set_viewport_size({"width": width, "height": 812})
        page.emulate_media(color_scheme=scheme)
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/clicks-{place[1]}-{width}-{scheme}.png", full_page=True)
        assert page.get_by_role("table", name="Clicks by story").first.is_visible()
        assert faults(page, frames=False) == [], (width, scheme)
    context.close()


def test_the_server_counts_what_waits_when_it_ends(busy: Newsroom) -> None:
    go(busy, ways(busy)[0])
    assert busy.clicks.of(ISSUE) == []
    busy.close()
    with type(busy).open(busy.desk, {"base_url": BASE}, environ={}) as again:
        assert sum(each.clicks for each in again.clicks.of(ISSUE)) == 1


def test_each_revision_has_links_of_its_own_and_the_same_ones_again(busy: Newsroom) -> None:
    before = busy.clicks.keys(ISSUE, 2, "CN+JP.en")
    sealed = busy.seals.editions(ISSUE, 2)["CN+JP.en"]
    assert dict(sealed.links).keys() == before.keys()
    with busy.database.write() as connection:
        keep_links(connection, ISSUE, 3, [sealed], partial(busy.signer.digest, Purpose.CLICK))
        keep_links(connection, ISSUE, 2, [sealed], partial(busy.signer.digest, Purpose.CLICK))
    assert busy.clicks.keys(ISSUE, 2, "CN+JP.en") == before
    assert not set(busy.clicks.keys(ISSUE, 3, "CN+JP.en").values()) & set(before.values())
