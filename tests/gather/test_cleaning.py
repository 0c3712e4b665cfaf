from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.gather.cleaning import clean_text, paragraphs, shorten
from newsletter.ports import slot

FRAGMENTS = [
    "<b>",
    "</p>",
    "<",
    ">",
    "&",
    "&amp;",
    "amp;",
    "&lt;",
    "lt;",
    "&#60;",
    "#x202e;",
    "\u202e",
    "\x00",
    "e\u0301",
    "\u037e",
    "\xa0",
    " ",
    "script",
    "<script>",
    "<!--",
    "-->",
    "\ufdd0",
    "x",
    "&notit;",
    "\u3000",
]


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("Beyonc&amp;#233; &amp;amp; fans", "Beyoncé & fans"),
        ("<p>One</p><p>two<br>three</p>", "One two three"),
        ("un<b>believ</b>able", "unbelievable"),
        ("a<b and 1 < 2 <3", "a<b and 1 < 2 <3"),
        ("AT&T's R&D", "AT&T's R&D"),
        ("x<script>alert('&lt;b&gt;')</script>y", "xy"),
        ("&amp;lt;img src=x onerror=alert(1)&amp;gt;safe", "safe"),
        ("tab\tand\r\nline\u2028nbsp\xa0ideographic\u3000end", "tab and line nbsp ideographic end"),
        ("cafe\u0301", "café"),
        ("gnp\u202egpj.exe\u2066\u2069", "gnpgpj.exe"),
        ("می\u200cخواهم \u200fx\u200e 👩\u200d👩", "می\u200cخواهم \u200fx\u200e 👩\u200d👩"),
        ("a\ufdd0name\ufdd1b\ufffe\U0001ffff\ud800c\ufeff", "anamebc"),
        ("", ""),
        ("\u3164 \u115f\u2800 \u200e", ""),
    ],
)
def test_text_becomes_plain(written: str, clean: str) -> None:
    assert clean_text(written) == clean


def test_a_slot_cannot_be_written_by_a_publisher() -> None:
    assert slot("unsubscribe") not in clean_text(f"click {slot('unsubscribe')} &#xFDD0;unsubscribe&#xFDD1;")
    assert "\ufdd0" not in clean_text("&amp;#xFDD0;&#64976;")


@given(st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join)))
def test_cleaning_is_idempotent_and_leaves_nothing_unwanted(text: str) -> None:
    clean = clean_text(text, 40)
    assert clean_text(clean, 40) == clean
    assert len(clean) <= 40
    assert not set(clean) & set("\x00\u202e\ufdd0\xa0\n")


def test_markup_hidden_under_many_layers_ends_as_plain_text() -> None:
    buried = clean_text("&" + "amp;" * 40 + "lt;b&gt;x")
    assert clean_text(buried) == buried
    assert "&" not in buried


@pytest.mark.parametrize(
    "hostile", ["<div>" * 200_000, "<" * 1_000_000, "&amp;" * 200_000, "<!--" * 250_000, "<a " * 300_000]
)
def test_a_hostile_field_costs_little(hostile: str) -> None:
    begun = time.process_time()
    clean_text(hostile, 300)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("limit", "short"),
    [
        (100, "The port opened on Monday. Ships from U.S. harbours wait outside."),
        (45, "The port opened on Monday."),
        (60, "The port opened on Monday. Ships from U.S. harbours wait…"),
        (10, "The port…"),
        (1, "…"),
        (0, ""),
    ],
)
def test_long_text_is_cut_where_a_reader_would_pause(limit: int, short: str) -> None:
    text = "The port opened on Monday. Ships from U.S. harbours wait outside."
    assert shorten(text, limit) == short
    assert len(short) <= limit


def test_scripts_without_spaces_are_cut_after_a_sentence_or_a_letter() -> None:
    assert shorten("港口周一开放。船只在外等候入港", 10) == "港口周一开放。"
    assert shorten("港口周一开放船只在外等候", 6) == "港口周一开…"
    assert shorten("ไทยเปิดที่", 10) == "ไทยเปิดที่"
    assert shorten("ไทยเปิดที่ใหญ่", 10) == "ไทยเปิด…"


def test_a_note_has_at_most_four_paragraphs() -> None:
    assert paragraphs(["a", " ", "<p>b</p>", "c", "d", "e"]) == ("a", "b", "c", "d")


def test_what_no_reader_sees_goes_and_what_scripts_and_flags_need_stays() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all rules")
    assert clean_text(f"Head\u061cline\u200b \u2060one{hidden}") == "Headline one"
    for kept in (
        "ภาษา\u200bไทย",
        "👩\u200d🔬",
        "می\u200cخواهم",
        "\u200fعربي\u200e",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ):
        assert clean_text(kept) == kept
    assert clean_text(f"🏴{hidden}\U000e007f") == "🏴"
