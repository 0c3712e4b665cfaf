"""Names one after the other, as a language joins them."""

from __future__ import annotations

import pytest

from newsletter.render import listed


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
