"""A language tag leads to the shorter ones that stand for it."""

from __future__ import annotations

import pytest

from newsletter.languages import forms


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("en", ("en",)),
        ("pt-BR", ("pt-BR", "pt")),
        ("zh-HK", ("zh-HK", "zh-Hant", "zh")),
        ("zh-hant-hk", ("zh-Hant-HK", "zh-Hant", "zh")),
        ("zh-Hans-HK", ("zh-Hans-HK", "zh-Hans", "zh")),
        ("ZH-tw", ("zh-TW", "zh-Hant", "zh")),
        ("zh-SG", ("zh-SG", "zh")),
        ("", ("",)),
    ],
)
def test_forms(tag: str, found: tuple[str, ...]) -> None:
    assert forms(tag) == found
