"""The tree that schedule.yaml is read from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from newsletter.plan.nodes import Mapping, Mark, Scalar, Sequence, compose
from newsletter.plan.quick_yaml import QuickParser, QuickReader, QuickScanner


def test_keys_and_values_know_where_they_stand() -> None:
    assert compose("a: 'NO'\nb:\n  - 12:30\n", "f") == Mapping(
        (
            (Scalar("a", True, Mark(1, 1)), Scalar("NO", False, Mark(1, 4))),
            (Scalar("b", True, Mark(2, 1)), Sequence((Scalar("12:30", True, Mark(3, 5)),), Mark(3, 3))),
        ),
        Mark(1, 1),
    )


def test_null_is_what_yaml_1_2_calls_null() -> None:
    tree = compose("[~, null, '', 'null', nil]", "f")
    assert isinstance(tree, Sequence)
    assert [isinstance(item, Scalar) and item.empty for item in tree.items] == [True, True, False, False, False]


WORDS = st.sampled_from(
    ["a", "b: ", "- ", "? ", ": ", "\n", "  ", "[", "]", "{", "}", ", ", '"', "'", "#x", "|\n", "---\n", ":", "?",
     " #", "a:b", "x?", "\t", "\r", "\r\n", "\x85", "\u2028", "\ufeff", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "..."]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(WORDS, max_size=24).map("".join))
def test_the_quick_parser_finds_what_ruamels_own_finds(text: str) -> None:
    assert outcome(text, quick=True) == outcome(text, quick=False)


@pytest.mark.parametrize("file", ["schedule.yaml", "newsletter/demo/schedule.yaml"])
def test_it_finds_the_same_in_schedules(file: str) -> None:
    text = (Path(__file__).parents[2] / file).read_text(encoding="utf-8")
    assert outcome(text, quick=True) == outcome(text, quick=False)


def outcome(text: str, *, quick: bool) -> list[str]:
    """The events of a text with their marks, then the error that ended them."""
    yaml = YAML(typ="safe", pure=True)
    if quick:
        yaml.Reader, yaml.Scanner, yaml.Parser = QuickReader, QuickScanner, QuickParser
    found: list[str] = []
    try:
        for event in yaml.parse(text):
            event.comment = None  # nobody reads them
            found.append(f"{event!r} {event.start_mark.line}:{event.start_mark.column}")
    except MarkedYAMLError as error:
        marks = [(mark.line, mark.column, mark.index) for mark in (error.context_mark, error.problem_mark) if mark]
        found.append(f"{type(error).__name__}: {error.context}, {error.problem}, {marks}")
    except Exception as error:  # noqa: BLE001 - whatever the one raises, the other has to
        found.append(f"{type(error).__name__}: {error}")
    return found
