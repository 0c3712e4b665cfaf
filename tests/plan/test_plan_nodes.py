"""The tree that schedule.yaml is read from."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from newsletter.plan import nodes
from newsletter.plan.nodes import Mapping, Mark, Scalar, Sequence, compose


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
    ["a", "b: ", "- ", "? ", ": ", "\n", "  ", "[", "]", "{", "}", ", ", '"', "'", "#x", "|\n", "---\n"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=24).map("".join))
def test_the_quick_parser_finds_what_ruamels_own_finds(text: str) -> None:
    assert outcome(text, quick=True) == outcome(text, quick=False)


def outcome(text: str, *, quick: bool) -> list[str]:
    """The events of a text with their marks, then the error that ended them."""
    yaml = YAML(typ="safe", pure=True)
    if quick:
        yaml.Scanner, yaml.Parser = nodes._QuickScanner, nodes._QuickParser
    found: list[str] = []
    try:
        for event in yaml.parse(text):
            found.append(f"{event!r} {event.start_mark.line}:{event.start_mark.column}")  # noqa: PERF401
    except Exception as error:  # noqa: BLE001 - whatever the one raises, the other has to
        found.append(f"{type(error).__name__}: {error}")
    return found
