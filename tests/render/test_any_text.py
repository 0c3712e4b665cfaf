"""Any Unicode in any story field: no exception, no markup, no header, and the reader reads what was written."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.model import Kind, NoteOrigin, PlacedStory, SummaryOrigin, machine_tag
from newsletter.render.wording import as_header, cut, visible
from newsletter.render.wrapping import columns, wrap
from tests.scripts import SCRIPTS

NASTY = st.sampled_from(
    (
        *("<b>", "</mj-text>", "]]>", "{{ 7*7 }}", "{% if %}", "<!--% endif %-->", '"', "'", "&amp;", "\x00"),
        *("\r\nBcc: a@b.example", "=?utf-8?q?x?=", "\u202e", "\ufdd0name\ufdd1", "\ud800", "\u200d", "\u2028"),
        *("👩\u200d🔬", "क्षि", "ก็", "عَرَبِيّ", "C#", "#a:b"),
    )
)
ANY = st.lists(st.text(max_size=12) | NASTY, max_size=5).map("".join)
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def squeezed(text: str) -> str:
    return "".join(text.split())


def is_clean(text: str) -> bool:
    return text == unicodedata.normalize("NFC", text) and not re.search(
        "[\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0\ufdd1]", text
    )


@FUZZ
@given(
    title=ANY, summary=ANY, note=ANY, tag=ANY, byline=ANY, outlet=ANY, section=ANY, url=ANY, language=ANY, other=ANY,
    kind=st.sampled_from(Kind), origin=st.sampled_from(SummaryOrigin), note_origin=st.sampled_from(NoteOrigin),
)  # fmt: skip
def test_any_text_in_any_field(
    render, snapshot, story, related, read,
    title, summary, note, tag, byline, outlet, section, url, language, other, kind, origin, note_origin,
):  # fmt: skip
    held = story(
        title=title, summary=summary, note=(note,), tags=(tag,), byline=(byline,), outlet=outlet, section=section,
        url=url, language=language, outlet_language=other, note_approved_by=f"x{other}", kind=kind,
        summary_origin=origin, note_origin=note_origin, machine_tags={tag: url},
    )  # fmt: skip
    rendered = render(snapshot(PlacedStory(held, (related(title=other, outlet=outlet, url=url, country=None),))))
    page = read(rendered.html)
    named = [text for text in (byline, section) if machine_tag(text) is None]
    for text in (title, summary, note, outlet, other, *named):
        assert visible(text) in page.words
        assert squeezed(visible(text)) in squeezed(rendered.text.replace("\n> ", "\n"))
    plain = read(render(snapshot(PlacedStory(story(), (related(),)))).html)
    assert {event[0] for event in page.events if isinstance(event, tuple)} <= {"bdi"} | {
        event[0] for event in plain.events if isinstance(event, tuple)
    }
    for header in (rendered.subject, rendered.preheader):
        assert is_clean(header)
        assert "=?" not in header
        assert "?=" not in header
    assert rendered.subject
    assert columns(rendered.subject) <= 60
    assert all(link.startswith(("https://", "http://", "mailto:", "#", "\ufdd0")) or not link for link in page.links)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("Cafe\u0301", "Caf\u00e9"), ("\u1112\u1161\u11ab", "\ud55c"), ("a\u0000b\u0007c", "abc"),
        ("\u202eevil\u202c", "evil"), ("\u0646\u0645\u06cc\u200c\u062e", "\u0646\u0645\u06cc\u200c\u062e"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"), ("\u200eABC\u200f", "\u200eABC\u200f"),
        ("a\n \t b", "a b"),
    ],
)  # fmt: skip
def test_what_a_reader_may_see_of_a_text(written, seen):
    assert visible(written) == seen


@pytest.mark.parametrize("text", SCRIPTS)
def test_every_script_reads_as_written(render, snapshot, story, read, text):
    rendered = render(snapshot(story(title=text, summary=text, note=(text,), tags=(text,), section=text)))
    written = unicodedata.normalize("NFC", text)
    assert rendered.subject == written
    assert read(rendered.html).words.count(written) >= 5
    assert squeezed(rendered.text).count(squeezed(written)) >= 5


@FUZZ
@given(st.text())
def test_headers_stay_one_clean_line(text):
    header = as_header(text)
    assert is_clean(header)
    assert "=?" not in header
    assert as_header(header) == header


@FUZZ
@given(st.text(max_size=200), st.integers(2, 80))
def test_a_cut_title_is_its_beginning(text, width):
    text = visible(text)
    short = cut(text, width)
    assert columns(short) <= max(width, 1)
    assert text.startswith(short.removesuffix("…"))


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("ไทยเปิดศูนย์ข้อมูลที่ใหญ่ที่สุดในโลก", "Thai vowel signs and tones"),
        ("दिल्ली में नई प्रयोगशाला खुली और काम शुरू", "Indic vowel signs"),
        ("မြန်မာနိုင်ငံတွင် သတင်းအသစ်များ", "Burmese medials"),
        ("a👩🏽\u200d💻b👨🏿\u200d🚀c👍🏽d", "skin tones and joiners"),
    ],
)
def test_a_cut_splits_no_letter_from_its_signs(text, split):
    for width in range(2, columns(text)):
        kept = cut(text, width).removesuffix("…")
        rest = visible(text)[len(kept) :].lstrip(" ")
        assert not unicodedata.category(rest[0]).startswith("M"), (split, kept)
        assert rest[0] not in "\u200d🏽🏿", (split, kept)
        assert not kept.endswith("\u200d"), (split, kept)


def test_titles_are_cut_between_words_and_cjk_sooner():
    title = "Bengaluru start-up trains speech models in twenty-two languages, for less"
    assert cut(title, 60) == "Bengaluru start-up trains speech models in twenty-two…"
    chinese = cut("北京要求顶尖人工智能研究人员出国前须经批准并将新规扩大到初创企业创始人和首席研究员", 60)
    assert len(chinese) == 30
    assert cut("Memory maker adds a line… workers come from its partners first", 30) == "Memory maker adds a line…"
    assert columns(chinese) <= 60


@FUZZ
@given(ANY)
def test_wrapping_loses_nothing_and_breaks_no_latin_word(text):
    wrapped = wrap(text, "> ", 30)
    assert squeezed("\n".join(line[2:] for line in wrapped.split("\n"))) == squeezed(text)
    assert all(line.startswith("> ") for line in wrapped.split("\n"))


def test_wrapping_leaves_korean_words_whole():
    text = "정부는 국산 인공지능 반도체에 투자한다 그리고 협력사에서 배운다"
    assert wrap(text, "", 20).split() == text.split()


def test_wrapping_keeps_addresses_whole_and_marks_off_the_line_start():
    address = "https://outlet.example/" + "a" * 90
    assert address in wrap(f"Head to {address} for more, and then some words that follow it").split("\n")
    lines = wrap("北京已要求领先实验室和初创企业的高级研究人员在出国前申请许可，新规涵盖创始人。" * 3, width=24).split(
        "\n"
    )
    assert all(columns(line) <= 24 + 2 for line in lines)
    assert not [line for line in lines if line[0] in "，。"]


@pytest.mark.parametrize("fact", ["Word", "报道", "기사", "خبر", "https://news.example/1"])
def test_no_line_of_the_text_part_begins_with_a_dot_between_facts(fact):
    text = " · ".join([fact] * 12)
    for width in range(10, 40):
        lines = wrap(text, "", width).split("\n")
        assert squeezed("".join(lines)) == squeezed(text)
        assert not [line for line in lines if line.startswith("·")]
