"""Counted links: only where the mail says so, only stories', and within the bytes that Gmail shows."""

from __future__ import annotations

import pytest

from newsletter.model import PlacedStory
from newsletter.render import preflight, with_counted_links
from newsletter.render.edition import BYTE_BUDGET
from newsletter.render.findings import CLIPPED_AT

from .conftest import BASE_URL, MORNING

COUNTED = "How often each story is opened from this mail is counted, never by whom."


def led(rendered):
    return {story: f"{BASE_URL}/to/{number:022d}" for number, (story, _) in enumerate(rendered.links)}


def test_a_mail_counts_nothing_and_says_nothing_unless_it_is_turned_on(render, snapshot, story):
    rendered = render(snapshot(story(1), story(2)))
    assert rendered.links == ()
    assert COUNTED not in rendered.html
    assert with_counted_links(rendered, {story(1).id: "https://elsewhere.example"}) == rendered


def test_story_links_alone_lead_by_way_of_ours_in_the_html_alone(render, snapshot, story, related, read):
    odd = "https://outlet.example/?a=1&b=%22x%22&c='y'"
    placed = PlacedStory(story(1), (related(1),))
    rendered = render(snapshot(placed, story(2, url=odd), story(3, url="mailto:desk@outlet.example"), clicks=True))
    assert COUNTED in read(rendered.html).words
    assert dict(rendered.links) == {story(1).id: story(1).url, story(2).id: odd}
    mailed = with_counted_links(rendered, led(rendered))
    before, after = read(rendered.html).links, read(mailed.html).links
    ways = {url: led(rendered)[one] for one, url in rendered.links}
    assert after == [ways.get(link, link) for link in before]
    assert set(after) > set(ways.values())
    assert related(1).url in after
    assert mailed.text == rendered.text
    assert odd in mailed.text


def test_a_seal_covers_where_counted_links_lead(render, snapshot, story):
    rendered = render(snapshot(story(1), clicks=True))
    moved = type(rendered)(**{name: getattr(rendered, name) for name in rendered.__slots__} | {"links": ()})
    assert moved.sha256 != rendered.sha256


@pytest.mark.parametrize("url", ["https://x.co/{}", "https://outlet.example/2026/05/27/" + "a-long-name-" * 12 + "{}"])
def test_counted_links_are_within_the_budget(render, snapshot, story, url):
    stories = [story(number, url=url.format(number), summary="Short. " * 200, note=()) for number in range(70)]
    rendered = render(snapshot(*stories, clicks=True))
    mailed = with_counted_links(rendered, led(rendered))
    size = len(mailed.html.encode())
    assert size <= rendered.size <= BYTE_BUDGET
    assert rendered.grows == max(0, size - len(rendered.html.encode()))
    assert (rendered.grows > 2000) == (url == "https://x.co/{}")


def test_the_checks_speak_of_the_bytes_as_mailed(render, snapshot, story):
    held = snapshot(story(1), clicks=True)
    rendered = render(held)
    fields = {name: getattr(rendered, name) for name in rendered.__slots__}
    grown = type(rendered)(**fields | {"grows": CLIPPED_AT - len(rendered.html.encode())})
    assert [each.check for each in preflight(held, [grown], MORNING) if each.check == "size"] == ["size"]


def test_a_template_that_does_not_say_so_counts_nothing_and_the_check_tells(render, snapshot, story):
    held = snapshot(story(1), clicks=True)
    rendered = render(held)
    fields = {name: getattr(rendered, name) for name in rendered.__slots__}
    assert "clicks" not in {each.check for each in preflight(held, [rendered], MORNING)}
    silent = type(rendered)(**fields | {"links": (), "grows": 0})
    assert "clicks" in {each.check for each in preflight(held, [silent], MORNING)}


@pytest.mark.parametrize("language", ["ar", "id", "ja", "ko", "zh", "zh-Hant"])
def test_every_language_says_that_clicks_are_counted(render, snapshot, story, language):
    rendered = render(snapshot(story(1), clicks=True), language=language)
    assert rendered.links
    assert COUNTED not in rendered.html
