"""The traps of MJML and the inliner, each as it was met, and what the compiler does about it."""

from __future__ import annotations

import dataclasses
import importlib.metadata

import pytest

from newsletter.errors import InputError, TemplateError
from newsletter.render import confined, template_files
from newsletter.render.compiling import _assert_survival, compile_html, inlined, without_spent_classes
from newsletter.render.dialect import html_dialect
from newsletter.render.facts import arrange, cards_of, facts_of
from newsletter.render.shapes import SHAPES
from newsletter.render.template_files import TemplateText
from newsletter.render.templates import Templates
from tests.servers import Answering, serving

PAGE = "<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"


def written(body: str, head: str = "") -> TemplateText:
    text = PAGE.format(head=head, body=body)
    return TemplateText(text, tuple(("body.mjml", line) for line in range(1, text.count("\n") + 2)))


def rendered(body: str, head: str = "", **facts: object) -> str:
    return html_dialect().from_string(compile_html(written(body, head))).render(facts)


def test_the_mjml_module_is_mjml_python():
    """The PyPI package `mjml` installs a module of the same name that reads local files."""
    owners = importlib.metadata.packages_distributions()["mjml"]
    assert owners == ["mjml-python"]


def test_the_doctype_is_kept():
    assert compile_html(written("<mj-text>x</mj-text>")).startswith("<!DOCTYPE html>")


def test_blocks_and_expressions_survive():
    body = """<!--% for row in rows %-->
    <mj-text><!--% if row.url %--><p><a href="{{row.url|url}}">{{row.title}}</a></p><!--% endif %--></mj-text>
    <!--% endfor %-->"""
    html = rendered(body, rows=[{"url": "https://a.example/?x=1&y=2", "title": "One & two"}])
    assert '<a href="https://a.example/?x=1&amp;y=2"' in html
    assert "One &amp; two" in html


def test_an_expression_that_is_lost_is_refused_with_its_line():
    body = '<mj-text>x</mj-text>\n<mj-text><a href="{{ lead.url|url}}">x</a></mj-text>'
    with pytest.raises(TemplateError) as caught:
        compile_html(written(body))
    assert [problem.line for problem in caught.value.problems] == [2]


@pytest.mark.parametrize("words", ["ก็ไทยที่", "हिन्दी क्षि", "தமிழ்", "မြန်မာ", "عَرَبِيّ", "👩‍🔬", "a\u200cb"])
def test_words_of_any_script_pass_unharmed(words):
    html = rendered(
        '<mj-text><img src="{{rows|url}}" alt="{{lead}}"> {{lead}}</mj-text>', lead=words, rows="https://a.b/c"
    )
    assert html.count(words) == 2


def test_story_text_that_looks_like_a_template_is_inert():
    html = rendered("<mj-text>{{lead}}</mj-text>", lead="{{ 7*7 }} <!--% if x %--> {% raw %} ]]> <mj-text>")
    assert "{{ 7*7 }} &lt;!--% if x %--&gt; {% raw %} ]]&gt; &lt;mj-text&gt;" in html
    assert "49" not in html


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "vbscript:x", "//evil", "http:", " "]
)
def test_links_that_are_no_links_are_emptied(address):
    html = rendered('<mj-text><a href="{{lead|url}}">x</a></mj-text>', lead=address)
    assert 'href=""' in html


@pytest.mark.parametrize(
    "link",
    ['href="{{lead.url}}"', 'href="javascript:{{lead.url|url}}"', 'href="javascript:x"', 'src="{{lead.url|upper}}"'],
)
def test_a_template_must_put_its_links_through_the_filter(link):
    with pytest.raises(TemplateError, match=r"write (href|src) as"):
        compile_html(written(f"<mj-text><a {link}>x</a></mj-text>"))


def test_styles_marked_inline_are_inlined_and_the_others_left_alone():
    head = '<mj-style inline="inline">.x { color: #123456 }</mj-style><mj-style>.y { color: #654321 }</mj-style>'
    text = '<mj-text><p class="x">a</p><p class="x y">b</p><p class="z {{lead.script}}">c</p></mj-text>'
    html = compile_html(written(text, head))
    assert '<p style="color:#123456">a</p>' in html
    assert '<p class="y" style="color:#123456">b</p>' in html  # x has done its work
    assert '<p class="{{lead.script}}">c</p>' in html
    assert ".y { color: #654321 }" in html
    assert ".x {" not in html


def test_nothing_is_fetched_while_compiling():
    asked: list[str] = []

    class Listener(Answering):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with serving(Listener) as port:
        address = f"http://127.0.0.1:{port}"
        head = f"<mj-style>@import url({address}/a.css); .k {{ color: #111111 }}</mj-style>"
        head += f'<mj-style inline="inline">@import "{address}/b.css"; .k {{ margin: 0 }}</mj-style>'
        html = compile_html(written('<mj-text font-family="Roboto"><p class="k">x</p></mj-text>', head))
    assert asked == []
    assert "@import" not in html
    assert "fonts.googleapis.com" not in html
    assert ".k { color: #111111 }" in html


def test_compiling_first_and_last_give_the_same_page(templates, snapshot, story, related, read):
    """What the pipeline rests on: Jinja after MJML reads the same as Jinja before it, for text that both can carry."""
    issue = snapshot(story(), dataclasses.replace(story(2), country="SG", byline=()))
    edition_cards = cards_of(issue, _edition(issue), "https://news.example", {})
    facts = arrange(facts_of(issue, _edition(issue), edition_cards), edition_cards, ["full", "compact"])
    facts["preheader"] = "Other news"
    # A slot's mark in a link would be percent-encoded by the compilers: the reason why slots never pass them.
    facts["slots"] = dict.fromkeys(facts["slots"], "https://news.example/slot")
    part, words = templates.compile("daily").html_in("en")
    facts |= words
    early = inlined(html_dialect().from_string(part.written.text).render(facts))
    late = without_spent_classes(part.render(facts))  # which classes a card has, only a rendered page knows
    assert read(late).events == read(early).events


def _edition(issue):
    from newsletter.model import Edition

    return Edition(issue.countries, "en")


def test_a_template_is_compiled_once_until_a_file_changes(tmp_path, monkeypatch):
    compiled: list[str] = []
    real = confined.compile_page
    monkeypatch.setattr(confined, "compile_page", lambda *texts: compiled.append("once") or real(*texts))
    desk = Templates([tmp_path], tmp_path / ".compiled")
    first = desk.compile("daily")
    assert desk.compile("daily") is first
    assert compiled == ["once"]
    (tmp_path / "theme.toml").write_text('[light]\naccent = "#01AA02"\n')
    second = desk.compile("daily")
    assert compiled == ["once", "once"]
    assert second.digest != first.digest
    again = Templates([tmp_path], tmp_path / ".compiled").compile("daily")  # as another process does
    assert (again, compiled) == (second, ["once", "once"])


def test_files_that_lie_still_are_not_read_again_and_a_young_one_always_is(tmp_path, monkeypatch):
    read: list[str] = []
    real = Templates._texts
    monkeypatch.setattr(Templates, "_texts", lambda self, name: read.append(name) or real(self, name))
    theme = tmp_path / "theme.toml"
    theme.write_text('[light]\naccent = "#01AA02"\n')
    desk = Templates([tmp_path])
    young = [desk.compile("daily") for _ in range(2)]
    assert len(read) == 2  # another change might leave the same times
    monkeypatch.setattr(template_files, "_YOUNG_NS", -(10**18))
    settled = [desk.compile("daily") for _ in range(3)]
    assert len(read) == 3
    assert all(each is young[0] for each in [*young, *settled])
    theme.write_text('[light]\naccent = "#01AA03"\n')
    assert desk.compile("daily").digest != young[0].digest
    theme.unlink()
    assert "#01AA" not in desk.compile("daily").page


def test_a_desk_overrides_one_partial_or_one_colour(tmp_path, snapshot, story):
    from newsletter.render import render_edition

    (tmp_path / "partials").mkdir()
    (tmp_path / "partials" / "about.mjml").write_text("<mj-text>Made by people in Penang.</mj-text>")
    (tmp_path / "theme.toml").write_text('[light]\naccent = "#01AA02"\n')
    issue = snapshot(story())
    html = render_edition(Templates([tmp_path]).compile("daily"), issue, _edition(issue), "https://x.example").html
    assert "Made by people in Penang." in html
    assert "#01AA02" in html
    assert "#A8321A" not in html


def test_the_fields_that_templates_may_ask_for_are_those_they_are_given(snapshot, story, related):
    from newsletter.model import PlacedStory, Sponsor

    issue = snapshot(PlacedStory(story(1), (related(1),)), sponsor=Sponsor("Bank", "Words", "https://bank.example"))
    cards = cards_of(issue, _edition(issue), "https://news.example", {})
    facts = arrange(facts_of(issue, _edition(issue), cards), cards, ["full"]) | {"preheader": ""}
    assert set(facts) == set(SHAPES)
    assert set(facts["issue"]) == set(SHAPES["issue"])
    assert set(facts["sponsor"]) == set(SHAPES["sponsor"])
    assert set(facts["contents"][0]) == set(SHAPES["contents"][0])
    (section,) = facts["sections"]
    assert set(section) == set(SHAPES["sections"][0])
    assert set(section["cards"][0]) == set(SHAPES["sections"][0]["cards"][0])
    assert set(section["cards"][0]["related"][0]) == set(SHAPES["lead"]["related"][0])


def test_a_block_that_the_compilers_lost_moved_or_changed_is_refused():
    written = TemplateText("<!--% if word %-->{{preheader}}<!--% endif %-->", (("body.mjml", 1),))
    _assert_survival(written, "<p><!--% if word %-->{{preheader}}<!--% endif %--></p>")
    for compiled in (
        "<p><!--% if word %-->{{preheader}}</p>",
        "<p><!--% endif %-->{{preheader}}<!--% if word %--></p>",
        "<p><!--% if  word %-->{{preheader}}<!--% endif %--></p>",
        "<p><!--% if word %-->{{preheader}}<!--% endif %--><!--% endif %--></p>",
    ):
        with pytest.raises(TemplateError, match="did not survive"):
            _assert_survival(written, compiled)


def test_what_is_kept_is_kept_by_files_words_countries_and_compilers(tmp_path, monkeypatch):
    digests = [Templates([tmp_path]).compile("daily").digest]
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "ja.po").write_text('msgid "Related reading"\nmsgstr "x"\n', encoding="utf-8")
    digests.append(Templates([tmp_path]).compile("daily").digest)
    (tmp_path / "countries.toml").write_text('[TW]\nen = "Chinese Taipei"\n', encoding="utf-8")
    digests.append(Templates([tmp_path]).compile("daily").digest)
    (tmp_path / "theme.toml").write_text('[light]\naccent = "#0B6E4F"\n', encoding="utf-8")
    digests.append(Templates([tmp_path]).compile("daily").digest)
    monkeypatch.setattr("newsletter.render.templates.COMPILERS", "mjml-python 9")
    digests.append(Templates([tmp_path]).compile("daily").digest)
    assert len(set(digests)) == 5


def test_a_new_template_takes_no_others_place(tmp_path):
    templates = Templates([tmp_path])
    made = templates.start("ours", "daily")
    made[0].write_text("my own words", encoding="utf-8")
    with pytest.raises(InputError, match="is there already"):
        templates.start("ours", "briefing")
    assert made[0].read_text(encoding="utf-8") == "my own words"


def test_what_is_important_stays_so():
    style = '<mj-style inline="inline">p { color: red !important }</mj-style>'
    assert "color:red !important" in inlined(PAGE.format(head=style, body="<mj-text><p>x</p></mj-text>"))
