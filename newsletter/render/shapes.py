"""What a template may ask of what it is given: the names of every field, checked without rendering anything.

A sample shows one way through a template, and stops at its first fault; here every way is walked.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from jinja2 import nodes

__all__ = ["SHAPES", "field_faults"]


def _fields(names: str, **shaped: Any) -> dict[str, Any]:
    return dict.fromkeys(names.split()) | shaped


_RELATED = _fields("country flag date outlet title url script kind paywall foreign")
_CARD = _fields(
    "id anchor form language direction side script country flag section date outlet byline title url summary"
    " summary_origin note_origin note_checked_by kind paywall foreign",
    note=[None],
    tags=[None],
    related=[_RELATED],
)

SHAPES: Mapping[str, Any] = {
    "issue": _fields("title date language direction script stories countries minutes contact postal_address clicks"),
    "word": [None],
    "sponsor": _fields("name text url"),
    "corrections": [_fields("date title text")],
    "recap": [_fields("title outlet url script")],
    "lead": _CARD,
    "contents": [_fields("country flag title anchor language direction script")],
    "sections": [_fields("country flag", cards=[_CARD])],
    "rows": [_CARD],
    "preheader": None,
    "slots": None,
}
"""The facts of `newsletter.render.facts`: a dictionary by its keys, a list by its one element, anything else None.
What may be done with slots is a matter of its own (`newsletter.render.dialect`)."""


def field_faults(
    tree: nodes.Template, words: Collection[str], unknown: Callable[[str], str]
) -> Iterator[tuple[int, str]]:
    """Every name and field asked for where it is not there, with its line.

    `words` are the functions a template may call; `unknown` is the sentence about a name.
    """
    return _within(tree.body, dict(SHAPES) | dict.fromkeys(words), unknown)


def _within(
    found: Sequence[nodes.Node], scope: dict[str, Any], unknown: Callable[[str], str]
) -> Iterator[tuple[int, str]]:
    for node in found:
        if isinstance(node, nodes.For):
            yield from _within([node.iter], scope, unknown)
            shape = _shape(node.iter, scope)
            each = shape[0] if isinstance(shape, list) else None
            names = [name.name for name in node.target.find_all(nodes.Name)] or [getattr(node.target, "name", "")]
            inner = scope | dict.fromkeys(names) | {"loop": None}
            if isinstance(node.target, nodes.Name):
                inner[node.target.name] = each
            yield from _within([*([node.test] if node.test else []), *node.body], inner, unknown)
            yield from _within(node.else_, dict(scope), unknown)
            continue
        if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in scope:
            yield node.lineno, unknown(node.name)
        if isinstance(node, nodes.Getattr):
            shape = _shape(node.node, scope)
            if isinstance(shape, dict) and node.attr not in shape:
                near = difflib.get_close_matches(node.attr, shape, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(shape))}"
                yield node.lineno, f"{_written(node.node)} has no {node.attr!r}; {hint}"
        yield from _within(list(node.iter_child_nodes()), scope, unknown)
        if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name):
            scope[node.target.name] = _shape(node.node, scope)


def _shape(node: nodes.Node, scope: Mapping[str, Any]) -> Any:
    if isinstance(node, nodes.Name):
        return scope.get(node.name)
    if isinstance(node, nodes.Getattr):
        shape = _shape(node.node, scope)
        return shape.get(node.attr) if isinstance(shape, dict) else None
    if isinstance(node, nodes.Filter) and node.node is not None:
        shape = _shape(node.node, scope)
        if node.name in ("first", "last"):
            return shape[0] if isinstance(shape, list) else None
        return shape if node.name in ("list", "select") else None
    return None


def _written(node: nodes.Node) -> str:
    """The expression as its writer knows it, or nearly."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_written(node.node)}.{node.attr}"
    return "what stands there"
