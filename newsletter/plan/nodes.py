"""YAML 1.2 text as a small tree that remembers where each key and value stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

from newsletter.errors import PlanError, Problem
from newsletter.plan.quick_yaml import QuickParser, QuickReader, QuickScanner

__all__ = ["Mapping", "Mark", "Node", "Scalar", "Sequence", "compose"]

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 20


class Mark(NamedTuple):
    """A place in the file: line and column, both from 1."""

    line: int
    column: int


class Scalar(NamedTuple):
    """A single value as it is written; `plain` means without quotes, so that it may be a number or a flag."""

    text: str
    plain: bool
    mark: Mark

    @property
    def empty(self) -> bool:
        """Whether it is YAML's null: nothing at all, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Sequence(NamedTuple):
    """A list of nodes."""

    items: tuple[Node, ...]
    mark: Mark


class Mapping(NamedTuple):
    """Pairs of key and value in the file's order; a key that stands twice is here twice."""

    entries: tuple[tuple[Node, Node], ...]
    mark: Mark


Node: TypeAlias = "Scalar | Sequence | Mapping"


class _Fault(Exception):  # noqa: N818 - becomes a Problem in this module
    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark = mark


def compose(text: str, file: str) -> Node:
    """The tree of one YAML document; raises `PlanError` with the one fault that stopped the reading.

    Bounded: `MAX_CHARACTERS` of text, `MAX_DEPTH` levels, no aliases (so the tree is never larger than the
    text). Built on the parser's events, because ruamel's own nodes carry tags and comments that nobody here
    reads.
    """
    if len(text) > MAX_CHARACTERS:
        _refuse(file, Mark(1, 1), f"the file has over {MAX_CHARACTERS} characters; that is no schedule")
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Reader, yaml.Scanner, yaml.Parser = QuickReader, QuickScanner, QuickParser
        return _tree(yaml.parse(text))
    except _Fault as fault:
        _refuse(file, fault.mark, str(fault))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Mark(1, 1) if mark is None else Mark(mark.line + 1, mark.column + 1)
        _refuse(file, place, _explain(error, text, 0 if mark is None else mark.index))
    except ReaderError as error:
        _refuse(file, _place(text, error.position), f"the character U+{ord(text[error.position]):04X} is not text")
    except (ValueError, OverflowError) as error:  # a numeric escape or a directive beyond what Python can hold
        _refuse(file, Mark(1, 1), f"this is not YAML: {error}")


def _tree(events: Iterable[Any]) -> Node:
    roots: list[Node] = []
    children = roots
    open_collections: list[tuple[Any, list[Node]]] = []
    for event in events:
        if isinstance(event, ScalarEvent):
            _untagged(event)
            children.append(Scalar(event.value, event.style is None, _mark(event)))
        elif isinstance(event, CollectionStartEvent):
            _untagged(event)
            if len(open_collections) == MAX_DEPTH:
                raise _Fault(_mark(event), f"nested over {MAX_DEPTH} levels deep")
            open_collections.append((event, children))
            children = []
        elif isinstance(event, CollectionEndEvent):
            start, siblings = open_collections.pop()
            siblings.append(_collection(start, children))
            children = siblings
        elif isinstance(event, AliasEvent):
            name = event.anchor[:60]
            raise _Fault(_mark(event), f"*{name}: aliases are not used here; `defaults` holds what is shared")
        elif isinstance(event, DocumentStartEvent):
            _only_document(event, roots)
    return roots[0] if roots else Scalar("", True, Mark(1, 1))


def _collection(start: Any, children: list[Node]) -> Node:
    if isinstance(start, MappingStartEvent):
        return Mapping(tuple(zip(children[::2], children[1::2], strict=True)), _mark(start))
    return Sequence(tuple(children), _mark(start))


def _only_document(event: Any, roots: list[Node]) -> None:
    if roots:
        raise _Fault(_mark(event), "a second document begins here; a schedule is one document")
    if event.version not in (None, (1, 2)):
        raise _Fault(_mark(event), "schedules are YAML 1.2; take the %YAML line out")


def _untagged(event: Any) -> None:
    if event.ctag is not None:
        tag = str(event.ctag)[:60]
        raise _Fault(_mark(event), f"tags such as {tag} are not used here; put quotes around what is text")


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _explain(error: MarkedYAMLError, text: str, index: int) -> str:
    if text[index : index + 1] == "\t":
        return "a tab stands here; YAML is indented with spaces"
    parts = [str(part) for part in (error.context, error.problem) if part]
    return "this is not YAML: " + (", ".join(parts) or "the reader gave no reason")


def _place(text: str, index: int) -> Mark:
    before = text[:index]
    return Mark(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)


def _refuse(file: str, mark: Mark, message: str) -> NoReturn:
    raise PlanError([Problem(file, mark.line, mark.column, message)]) from None
