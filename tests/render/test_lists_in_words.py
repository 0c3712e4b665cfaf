"""Names one after the other as a language joins them, and addresses as their readers write them."""

from __future__ import annotations

import pytest

from newsletter.render import listed, written


@pytest.mark.parametrize(
    ("language", "names", "words"),
    [
        ("en", ["China", "Japan", "Singapore"], "China, Japan and Singapore"),
        ("en", ["China"], "China"),
        ("en", [], ""),
        ("zh", ["中国", "日本", "越南"], "中国、日本和越南"),
        ("zh-Hant", ["中國", "日本"], "中國和日本"),
        ("ja", ["日本", "ベトナム"], "日本、ベトナム"),
        ("ar", ["الصين", "اليابان"], "الصين واليابان"),
        ("ar", ["Asia AI Daily", "Asia AI Weekly"], "Asia AI Daily, Asia AI Weekly"),
        ("xx", ["China", "Japan"], "China and Japan"),
    ],
)
def test_names_are_joined_as_the_language_does_it(language: str, names: list[str], words: str) -> None:
    assert listed(names, language) == words


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("ann@xn--exmple-cua.org", "ann@exämple.org"),
        ("ann@example.org", "ann@example.org"),
        (" ann@xn--a.org ", "ann@xn--a.org"),  # no A-label at all
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_an_address_is_shown_as_its_reader_writes_it(email: str, words: str) -> None:
    assert written(email) == words
