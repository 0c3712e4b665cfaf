"""Every page of readers, in English and in Arabic: axe finds nothing on it, it needs no script, and it is small."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership import reports, requests
from newsletter.tokens import Purpose
from subscribers.model import Status

from .addresses import filled
from .browsing import faults, served
from .conftest import BASE, FLAGS, ISSUE, NEWSLETTER, Visitor
from .test_web_public import SMALL, small_pages

READER, ARABIC, NEW = "r0@example.org", "r1@example.org", "new@example.org"
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
LOOKS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (375, "light", {}),
    (375, "dark", COLOURS),
    (1280, "light", COLOURS),
    (1280, "dark", {}),
)
"""All rules of axe at each width and in each light; what only the light changes in every pair of them."""


@dataclass(frozen=True, slots=True)
class Pages:
    """A desk that is served, and the pages of readers on it: those that speak their language, and the others."""

    room: Newsroom
    address: str
    spoken: list[str]
    others: list[str]


@pytest.fixture(scope="module")
def pages(busy_desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("public") / "desk"
    shutil.copytree(busy_desk, folder)
    with Newsroom.open(folder, FLAGS, environ={}) as room, served(room) as address:
        arabic = next(key for key in room.seals.editions(ISSUE, 2) if key.endswith(".ar"))
        report = reports.address_of_edition(room, ISSUE, arabic).removeprefix(BASE)
        spoken = ["/subscribe", "/preferences/", confirm_link(room)]
        spoken += [link_of(room, purpose) for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)]
        held = ("data_mail", "own_data", "data_address", "data_delete", "address_change")
        spoken += [filled(room, name) for name in held]
        names = ("archive", "archive_newsletter", "archive_editions", "archive_story", "link_needed", "report")
        others = [report, *(filled(room, name) for name in names), "/confirm/nonsense", "/nowhere"]
        yield Pages(room, address, spoken, others)


def link_of(room: Newsroom, purpose: Purpose, reader: str = READER) -> str:
    number = room.subscribers.find(reader).id
    return f"/{purpose}/{room.signer.sign(purpose, f'{number}|{NEWSLETTER}')}"


def confirm_link(room: Newsroom, address: str = NEW) -> str:
    choice = {"countries": ["CN", "JP"], "frequency": "daily", "language": "en"}
    signup = requests.read_subscription(room, address, [NEWSLETTER], **choice)  # type: ignore[arg-type]
    requests.ask_to_subscribe(room, signup, language="en", network="")
    return f"/confirm/{room.signer.sign(Purpose.CONFIRM, str(room.subscribers.requests(6)[-1].id))}"


def found_on(page: Any) -> dict[tuple[int, str], list[str]]:
    """What axe finds, by width and scheme."""
    found = {}
    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 812})
        page.emulate_media(color_scheme=scheme)
        if seen := faults(page, frames=False, **rules):
            found[width, scheme] = seen
    return found


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_at_any_width_in_any_light(pages: Pages, browser: Any, language: str) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    found = {}
    others = pages.others if language == "en" else pages.others[:1]
    for path in [*(f"{each}?lang={language}" for each in pages.spoken), *others]:
        page.goto(pages.address + path)
        if language == "ar":
            assert page.evaluate("getComputedStyle(document.body).direction") == "rtl", path
        if seen := found_on(page):
            found[path] = seen
    assert found == {}
    page.context.close()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_what_an_order_answers_is_as_good_as_its_form(pages: Pages, browser: Any, language: str) -> None:
    """Subscribe, choose, leave, come back, report: by the page's own buttons, without a script."""
    room, reader = pages.room, ARABIC if language == "ar" else READER
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 812})
    page, seen = context.new_page(), []

    def press(path: str, **fields: str) -> None:
        page.goto(f"{pages.address}{path}{'&' if '?' in path else '?'}lang={language}")
        for name, words in fields.items():
            page.locator(f"[name={name}]").first.fill(words)
        page.locator("main button, button").first.click()
        page.wait_for_load_state()
        seen.append(page.locator("html").get_attribute("dir"))
        assert "<script" not in page.content()

    someone = f"someone-{language}@example.org"
    press("/subscribe", email=someone)
    assert someone in page.content()
    press(confirm_link(room, f"sure-{language}@example.org"))
    assert room.subscribers.find(f"sure-{language}@example.org").subscriptions[NEWSLETTER].status is Status.CONFIRMED
    press("/preferences/", email=reader)
    press(link_of(room, Purpose.PREFERENCES, reader))
    press(link_of(room, Purpose.UNSUBSCRIBE, reader))
    assert room.subscribers.find(reader).subscriptions[NEWSLETTER].status is Status.UNSUBSCRIBED
    page.locator("button").first.click()
    page.wait_for_load_state()
    assert room.subscribers.find(reader).subscriptions[NEWSLETTER].status is Status.CONFIRMED
    assert set(seen) == {"rtl" if language == "ar" else "ltr"}
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize("language", ["en", "ar", "ja", "zh"])
def test_each_is_under_fifteen_kilobytes_with_all_that_it_needs(pages: Pages, language: str) -> None:
    http = Visitor(pages.room).http
    asked = {*pages.spoken, *pages.others, *small_pages(pages.room)}
    sizes = {}
    for path in asked:
        answer = http.get(path, params={"lang": language})
        assert "<script" not in answer.text, path
        assets = set(re.findall(r'(?:href|src)="(/(?:static|flags)/[^"]+)"', answer.text))
        sizes[path] = len(answer.content) + sum(len(http.get(asset).content) for asset in assets)
    assert max(sizes.values()) < SMALL, sizes
