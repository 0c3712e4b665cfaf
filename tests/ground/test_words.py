"""How texts are taken apart."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.words import cosine, likeness, normalised, read, shared_readings, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Fed’s U.S. rate", ["fed", "us", "rate"]),
        ("chips Chip CHIPPED companies", ["chip", "chip", "chipp", "company"]),
        ("the AI of ＡＩ", ["ai", "ai"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("人工智能", ["人工", "工智", "智能", "人工智", "工智能"]),
        ("ｶﾅ", ["カナ"]),
        ("港", ["港"]),
        ("iPhone价格", ["iphone", "价格"]),
        ("ราคา 99 บาท", ["รา", "าค", "คา", "ราค", "าคา", "99", "บา", "าท", "บาท"]),
        ("ម៉ា", ["ម៉", "៉ា", "ម៉ា"]),
        ("… — 🙂", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms
    assert read(text).terms == Counter(terms)


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(first: str, second: str) -> None:
    one, other = read(first), read(second)
    assert 0 <= likeness(one, other) <= 1 + 1e-9
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    for reading in shared_readings(one, other):
        assert reading.surface
        assert reading.words >= 1
        assert all(term in one.terms and term in other.terms for term in reading.terms)


@given(st.text(min_size=1))
def test_a_text_is_like_itself(text: str) -> None:
    itself = read(text)
    assert likeness(itself, itself) == (pytest.approx(1) if itself.tokens else 0)


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("人工智能的发展", "谈人工智能的未来", ["人工智能"]),
        ("半導体について", "半導体については", ["半導体"]),
        ("ราคาที่ดิน", "ซื้อที่ดินถูก", ["ที่ดิน"]),
        ("กี่วัน", "ที่วัด", []),
        ("Chips and Chip prices", "price of CHIPS", ["Chips", "prices"]),
    ],
)
def test_what_two_texts_share_is_told_as_the_first_has_it(first: str, second: str, shared: list[str]) -> None:
    assert [reading.surface for reading in shared_readings(read(first), read(second))] == shared


def test_cosine_of_nothing() -> None:
    assert cosine(Counter(), Counter("a")) == 0


def test_a_normalised_title_is_letters_and_digits() -> None:
    assert normalised("“Fed’s  RATE”: up 5%!") == normalised("FED's rate – up, 5 %")
