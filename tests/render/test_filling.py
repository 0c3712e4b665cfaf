"""Slots filled for previews and the web view."""

from __future__ import annotations

import pytest

from newsletter.render import fill_html, fill_text

SLOTS = {
    "name": 'Kim "K" <O\'Neil>',
    "unsubscribe": "https://x.example/u?a=1&b=2",
    "preferences": "https://x.example/p",
    "view": "https://x.example/v",
    "report": "https://x.example/r",
}


def test_slots_are_filled_and_escaped(render, real_day, read):
    rendered = render(real_day)
    page = read(fill_html(rendered.html, SLOTS))
    assert {SLOTS["unsubscribe"], SLOTS["preferences"], SLOTS["view"]} <= set(page.links)
    assert SLOTS["name"] in page.words
    text = fill_text(rendered.text, SLOTS)
    assert f"Unsubscribe: {SLOTS['unsubscribe']}\n" in text
    assert SLOTS["name"] in text


def test_an_empty_name_leaves_no_ugly_text(render, real_day, read):
    rendered = render(real_day)
    assert "desk@gmasia.example You get this because" in read(
        fill_html(rendered.html, {**SLOTS, "name": ""})
    ).words.replace("exampleYou", "example You")


def test_a_slot_without_a_value_and_a_stray_mark_are_errors(render, real_day):
    rendered = render(real_day)
    with pytest.raises(ValueError, match="'view' has no value"):
        fill_html(rendered.html, {name: value for name, value in SLOTS.items() if name != "view"})
    with pytest.raises(ValueError, match="a slot that does not exist"):
        fill_text("\ufdd0nam\ufdd1", SLOTS)


def test_a_value_cannot_bring_a_line_or_a_mark(render, real_day):
    filled = fill_text(render(real_day).text, {**SLOTS, "name": "A\r\nBcc: b@c.example\ufdd0view\ufdd1"})
    assert "\r" not in filled
    assert "A Bcc: b@c.exampleview" in filled
