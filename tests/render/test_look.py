"""The mail in a browser: colours, sizes and room on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest

from newsletter.model import Edition
from newsletter.render import fill_html, render_edition

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NEUTRAL = dict.fromkeys(("unsubscribe", "preferences", "view", "report"), "https://news.example/x") | {"name": ""}


@pytest.fixture(scope="module")
def browser(chromium) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def opened(browser) -> Callable[[str, int, str], Page]:
    """Opens a mail at a width and colour scheme."""

    @cache
    def page(html: str, width: int, scheme: str) -> Page:
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        fresh = context.new_page()
        fresh.route("**/*", lambda route: route.abort())  # pictures have their width and height in the mail
        fresh.set_content(fill_html(html, NEUTRAL))
        return fresh

    return page


@pytest.fixture(scope="module")
def look(opened, render, real_day) -> Callable[[int, str, str], object]:
    """Evaluates a script in the mail of a real day, at a width and colour scheme."""
    html = render(real_day).html
    return lambda width, scheme, script: opened(html, width, scheme).evaluate(script)


COLOURS = """() => {
  const style = (selector, name) => getComputedStyle(document.querySelector(selector))[name];
  return [style('body', 'backgroundColor'), style('.panel', 'backgroundColor'), style('h1', 'color'),
          style('.card h2 a', 'color'), style('.a', 'color'), style('.n', 'backgroundColor'),
          style('.bt', 'backgroundColor'), style('.bt a', 'color'), document.compatMode];
}"""


def test_colours_in_the_light(look):
    assert look(640, "light", COLOURS) == [
        "rgb(242, 243, 245)", "rgb(255, 255, 255)", "rgb(22, 24, 29)", "rgb(22, 24, 29)", "rgb(168, 50, 26)",
        "rgb(245, 242, 251)", "rgb(22, 24, 29)", "rgb(255, 255, 255)", "CSS1Compat",
    ]  # fmt: skip


def test_colours_in_the_dark(look):
    assert look(375, "dark", COLOURS) == [
        "rgb(15, 17, 20)", "rgb(24, 27, 32)", "rgb(243, 245, 248)", "rgb(243, 245, 248)", "rgb(255, 155, 125)",
        "rgb(34, 29, 51)", "rgb(243, 245, 248)", "rgb(22, 24, 29)", "CSS1Compat",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [320, 375, 640, 768])
def test_nothing_is_wider_than_the_screen(look, width):
    assert look(width, "light", "() => document.documentElement.scrollWidth") == width


def test_buttons_and_rows_are_big_enough_for_a_thumb(look):
    heights = "selector => [...document.querySelectorAll(selector)].map(it => it.getBoundingClientRect().height)"
    for selector in ("a:has(> u)", ".i", ".bt"):
        sizes = look(375, "light", f"() => ({heights})('{selector}')")
        assert isinstance(sizes, list)
        assert min(sizes) >= 44


def test_the_button_fills_a_phone_and_headlines_are_smaller_there(look):
    script = """() => [document.querySelector('.b').getBoundingClientRect().width,
                       getComputedStyle(document.querySelector('.latin h2[id]')).fontSize,
                       getComputedStyle(document.querySelector('.latin h2[id]')).lineHeight]"""
    assert look(375, "light", script) == [375 - 48, "22px", "28px"]
    wide = look(640, "light", script)
    assert isinstance(wide, list)
    assert wide[0] < 300
    assert wide[1:] == ["24px", "30px"]


def test_chinese_gets_its_own_face_and_taller_lines(look):
    script = """() => { const it = getComputedStyle(document.querySelector('.zh h2'));
                        return [it.fontFamily.includes('PingFang SC'), it.lineHeight] }"""
    assert look(640, "light", script) == [True, "32px"]


@pytest.mark.parametrize(
    ("script", "face"), [("zh", "PingFang SC"), ("ja", "Hiragino Sans"), ("ko", "Malgun Gothic"), ("th", "Thonburi")]
)
def test_each_script_has_its_face_and_lines_further_apart(look, script, face):
    asked = """script => { const within = name => getComputedStyle(document.querySelector(`div.${script} ${name}`));
                           return [within('h2').fontFamily, within('h2').lineHeight, within('p').lineHeight] }"""
    family, headline, body = look(640, "light", f"() => ({asked})('{script}')")
    assert face in family
    assert (headline, body) == ("32px", "28px")


def test_a_line_ends_between_korean_words(look):
    style = "() => getComputedStyle(document.querySelector('div.ko h2')).wordBreak"
    assert look(375, "light", style) == "keep-all"


@pytest.mark.parametrize(("width", "height"), [(640, "38px"), (375, "34px")])
def test_large_chinese_headlines_have_room_between_lines(opened, templates, snapshot, story, width, height):
    issue = snapshot(story(1, title="中国正日益留住本国最优秀的人工智能人才", language="zh"), template="breaking")
    rendered = render_edition(templates.compile("breaking"), issue, Edition(issue.countries, "zh"), "https://n.example")
    page = opened(rendered.html, width, "light")
    assert page.evaluate("getComputedStyle(document.querySelector('.zh h2[id]')).lineHeight") == height


def test_links_in_the_small_print_are_of_its_colour(look):
    colour = "() => getComputedStyle(document.querySelector('.m a')).color"
    assert look(640, "light", colour) == "rgb(92, 99, 112)"
    assert look(640, "dark", colour) == "rgb(162, 169, 181)"


def test_the_mail_is_640_pixels_wide(look):
    assert look(768, "light", "() => document.querySelector('.panel').getBoundingClientRect().width") == 640


def test_what_is_linked_looks_linked(look):
    lines = """() => [...document.querySelectorAll('.i, a:has(> u)')].map(link =>
                 getComputedStyle(link.querySelector('.u, u')).textDecorationLine)"""
    assert set(look(640, "light", lines)) == {"underline"}
