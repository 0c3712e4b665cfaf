"""Editions in other languages: every standing word is translated, and one written from the right is a mirror image."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from babel.messages.extract import extract, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import TemplateError
from newsletter.model import Edition, SummaryOrigin
from newsletter.ports import SLOT_NAMES
from newsletter.render import Templates, fill_html, render_edition
from newsletter.render.mirroring import mirrored
from newsletter.render.translating import read_catalogues, words_in

ROOT = Path(__file__).parent.parent.parent
CATALOGUES = sorted((ROOT / "templates" / "words").glob("*.po"))
ENGLISH = (
    "Read on the web", "In this issue", "Related reading", "Read at", "Original reporting", "Unsubscribe", "story",
    "stories", "min read", "Drafted with AI", "Editor's", "subscription", "Extract", "You get this", "Press release",
)  # fmt: skip


def words_of_the_templates() -> set[str | tuple[str, ...]]:
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"_": None, "ngettext": (1, 2)}
    found = extract_from_dir(ROOT / "templates", method_map=methods, options_map=options, keywords=keywords)
    words = {message for _, _, message, _, _ in found}
    for page in (ROOT / "newsletter" / "web" / "pages").glob("*.html"):
        with page.open("rb") as file:
            words |= {message for _, message, _, _ in extract("jinja2", file, keywords=keywords)}
    return words


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_every_word_of_the_templates(path: Path) -> None:
    catalogue = read_po(StringIO(path.read_text(encoding="utf-8")))
    translated = {message.id for message in catalogue if message.id and all(message.string) and not message.fuzzy}
    assert {str(word) for word in words_of_the_templates()} == {str(word) for word in translated}


def test_there_are_the_languages_that_are_promised() -> None:
    assert {path.stem for path in CATALOGUES} >= {"zh", "ja", "ko", "id", "ar"}


@pytest.mark.parametrize("language", ["zh", "zh-Hant", "ja", "ko", "id", "ar", "zh-SG"])
def test_no_english_word_of_ours_is_left(language, render, snapshot, story, related) -> None:
    from newsletter.model import Kind, NoteOrigin, PlacedStory

    neutral = {"title": "…", "summary": "…", "note": ("…",), "byline": ("…",), "tags": ()}
    stories = [
        PlacedStory(story(1, **neutral, paywall=True), (related(2, title="…"),)),
        story(2, **neutral, kind=Kind.PRESS_RELEASE, summary_origin=SummaryOrigin.EXTRACTIVE),
        story(3, **neutral, kind=Kind.OPINION, summary_origin=SummaryOrigin.MODEL, note_origin=NoteOrigin.HUMAN),
    ]
    rendered = render(snapshot(*stories), language=language)
    shown = re.sub(r"<[^>]*>", " ", rendered.html[rendered.html.index("<body") :].replace("&#39;", "'"))
    for text in (shown, re.sub("https?:[^ \n]*|\ufdd0[a-z]*\ufdd1", "", rendered.text)):
        assert [word for word in ENGLISH if word.casefold() in text.casefold()] == []


def test_numbers_have_their_forms() -> None:
    words = words_in("ar", read_catalogues([ROOT / "templates"])).text["ngettext"]
    assert [words("%(num)s story", "%(num)s stories", number) for number in (1, 2, 3, 11)] == [
        "خبر واحد", "خبران", "3 أخبار", "11 خبرًا",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["zh-TW", "zh-HK", "zh-MO", "zh-Hant", "zh-hant-hk"])
def test_who_reads_traditional_characters_gets_them(language: str) -> None:
    words = words_in(language, read_catalogues([ROOT / "templates"])).text["_"]
    assert words("Related reading") == "相關閱讀"


def test_a_desk_adds_a_language_with_one_file_and_may_better_a_word(tmp_path: Path, real_day) -> None:
    words = tmp_path / "words"
    words.mkdir()
    (words / "sv.po").write_text('msgid "In this issue"\nmsgstr "I det här numret"\n', encoding="utf-8")
    (words / "ja.po").write_text('msgid "In this issue"\nmsgstr "目次 <b>"\n', encoding="utf-8")
    template = Templates([tmp_path]).compile("daily")
    swedish, japanese = (
        render_edition(template, real_day, Edition(real_day.countries, language), "https://news.example")
        for language in ("sv", "ja")
    )
    assert "I det här numret" in swedish.html
    assert "onsdag 27 maj 2026" in swedish.html
    assert "Related reading" in swedish.html  # what it lacks stays English
    assert "目次 &lt;b&gt;" in japanese.html
    assert "関連記事" in japanese.html  # from the shipped catalogue


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('msgid "In this issue"\nmsgstr "x"\n\nnonsense\n', 4),
        ('#, python-format\nmsgid "via %(outlet)s"\nmsgstr "via %(outet)s"\n', 2),
        ('#, python-format\nmsgid "via %(outlet)s"\nmsgstr "100 % via"\n', 2),
        ('msgid "In this issue"\nmsgstr "100 %"\n', 1),
        ('\nmsgid "Unsubscribe"\nmsgstr " "\n', 2),
        ('\nmsgid "AI Editor\'s Summary"\nmsgstr "\u2060\u3164"\n', 2),
        ('\nmsgid "Presented by %(name)s"\nmsgstr "%(name)s"\n', 2),
    ],
)
def test_a_file_that_is_no_catalogue_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "ja.po").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        Templates([tmp_path]).compile("daily")
    assert [(Path(problem.file).name, problem.line) for problem in caught.value.problems] == [("ja.po", line)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ('<td align="left" style="float:left;">left</td>', '<td align="right" style="float:right;">left</td>'),
        ('<td style="padding:1px 2px 3px 4px">', '<td style="padding:1px 4px 3px 2px">'),
        ('<td style="padding-left:3px;direction:ltr">', '<td style="padding-right:3px;direction:rtl">'),
        ('<td style="border-radius:0 6px 5px 4px">', '<td style="border-radius:6px 0 4px 5px">'),
        ('<td style="border-radius:0 6px">', '<td style="border-radius:6px 0 6px 0">'),
        ('<td style="border-radius:1px 2px 3px">', '<td style="border-radius:2px 1px 2px 3px">'),
        ('<a href="/left" style="background:url(/left.png)">', '<a href="/left" style="background:url(/left.png)">'),
        ("<style>.left { float: left }</style>", "<style>.left { float: right }</style>"),
        ('<td style="padding:1px 2px;margin:0 auto">', '<td style="padding:1px 2px;margin:0 auto">'),
    ],
)
def test_left_becomes_right(left: str, right: str) -> None:
    assert mirrored(left) == right


DECLARATION = st.one_of(
    st.sampled_from(["text-align:left", "border-right:1px solid red", "color:red", "direction:rtl", "float:right"]),
    st.tuples(st.sampled_from(["padding", "margin"]), st.lists(st.integers(0, 40), min_size=1, max_size=4)).map(
        lambda made: f"{made[0]}:{' '.join(f'{size}px' for size in made[1])}"
    ),
)


@given(st.lists(DECLARATION, max_size=6))
def test_the_mirror_of_a_mirror_image_is_the_image(declarations: list[str]) -> None:
    html = f'<td align="left" style="{";".join(declarations)}">left</td>'
    assert mirrored(mirrored(html)) == html


SIDES = """() => {
  const wrong = [];
  for (const it of document.querySelectorAll('td, p, a, h1, h2, h3, div')) {
    if (!it.innerText || it.closest('.bt, td[align=left]') || it.querySelector('table')) continue;
    const style = getComputedStyle(it);
    if (style.direction !== 'rtl' || !style.textAlign.match(/right|start/)) wrong.push(it.outerHTML.slice(0, 120));
  }
  return wrong;
}"""


def test_an_english_story_stands_on_the_right_of_an_arabic_edition(chromium, render, snapshot, story, related) -> None:
    from playwright.sync_api import sync_playwright

    rendered = render(snapshot(story(1), story(2, language="ar", title="الصين تحتفظ")), language="ar")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 640, "height": 900})
        page.route("**/*", lambda route: route.abort())
        page.set_content(fill_html(rendered.html, dict.fromkeys(SLOT_NAMES, "x")))
        sides = page.evaluate(
            "() => [...document.querySelectorAll('.w h2, .w p, .w h3')].map(it => getComputedStyle(it))"
            ".map(style => style.textAlign == 'start' && style.direction == 'rtl' ? 'right' : style.textAlign)"
        )
        assert len(sides) > 3
        assert {side.removeprefix("-webkit-") for side in sides} == {"right"}
        browser.close()


def test_an_arabic_edition_reads_from_the_right_everywhere(chromium, render, snapshot, story, related) -> None:
    from playwright.sync_api import sync_playwright

    from newsletter.model import PlacedStory

    arabic = {"title": "الصين تحتفظ بأفضل مواهبها", "summary": "ملخص قصير.", "note": ("فقرة.",), "language": "ar"}
    rendered = render(snapshot(PlacedStory(story(1, **arabic), (related(2),))), language="ar")
    neutral = dict.fromkeys(("unsubscribe", "preferences", "view", "report"), "https://news.example/x") | {"name": ""}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 640, "height": 900})
        page.route("**/*", lambda route: route.abort())
        page.set_content(fill_html(rendered.html, neutral))
        assert page.evaluate("() => [document.documentElement.dir, getComputedStyle(document.body).direction]") == [
            "rtl", "rtl",
        ]  # fmt: skip
        assert page.evaluate(SIDES) == []
        ends = page.evaluate("() => [...document.querySelectorAll('td[align=left]')].map(it => it.innerText.trim())")
        assert ends == ["اقرأ على الويب"]  # at the end of its line, which is on the left
        edges = page.evaluate(
            "() => { const box = document.querySelector('.n'); const style = getComputedStyle(box);"
            " return [style.borderRightWidth, style.borderLeftWidth, style.direction]; }"
        )
        assert edges == ["2px", "0px", "rtl"]
        headline = page.evaluate(
            "() => { const panel = document.querySelector('.panel').getBoundingClientRect();"
            " const range = document.createRange(); range.selectNodeContents(document.querySelector('.w h2 a'));"
            " return panel.right - range.getBoundingClientRect().right; }"
        )
        assert headline == pytest.approx(24, abs=2)
        browser.close()


@pytest.mark.parametrize("language", ["ar", "he", "fa", "ur", "fa-AF", "ckb"])
def test_every_language_from_the_right_is_mirrored(real_day, language: str) -> None:
    rendered = render_edition(
        Templates().compile("daily"), real_day, Edition(real_day.countries, language), "https://news.example"
    )
    assert f'lang="{language}" dir="rtl"' in rendered.html
    assert "border-right:2px solid" in rendered.html, "the edge of the note stands where its lines begin"
    assert "border-left:2px solid" not in rendered.html


def test_a_colon_is_that_of_the_language(templates, snapshot, story, read) -> None:
    issue = snapshot(story(1, summary_origin=SummaryOrigin.EXTRACTIVE, title="芯片"), template="breaking")
    rendered = render_edition(templates.compile("breaking"), issue, Edition(issue.countries, "zh"), "https://n.example")
    assert rendered.subject == "突发新闻：芯片"
    assert "摘录：" in read(rendered.html).words
    assert "摘录：" in rendered.text
