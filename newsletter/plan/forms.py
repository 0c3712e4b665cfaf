"""What may stand where in a schedule.yaml: the forms a value can take, and the reading that collects faults.

A form turns a node of the file into a value. It does not raise: a fault is noted in the `Reading` and `INVALID`
stands in for the value, so that one reading finds every fault of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from newsletter.errors import PlanError, Problem
from newsletter.plan import nodes
from newsletter.plan.nodes import Mark, Node, Scalar
from newsletter.plan.words import shown, suggest

__all__ = ["INVALID", "Anything", "Form", "Key", "ListOf", "MapOf", "Named", "Reading", "Table", "Word"]

INVALID: Final = object()
"""Stands in for a value that was there but could not be read."""

MAX_FAULTS = 500
"""Finding what was meant takes up to 5 ms a fault; no file may hold up its reader for minutes."""


class Reading:
    """One pass over one file: the faults found so far, and where each path of the file stands.

    `names` holds what values may refer to, by kind: the file's own newsletters, calendars and regions, and the
    templates there are. A path is the keys from the top joined with dots, places of a list in brackets from 0.
    """

    def __init__(self, file: str, names: Mapping[str, Collection[str]]) -> None:
        self.file = file
        self.names = names
        self.problems: list[Problem] = []
        self._marks: dict[str, Mark] = {}

    def read(self, form: Form, node: Node, path: str, key: Mark | None = None) -> Any:
        """The value of `node`, or `INVALID`; `key` is where its key stands, the place of mappings in errors."""
        of_its_own = _written(node) and not isinstance(node, nodes.Mapping)
        self._marks[path] = node.mark if of_its_own or not key else key
        return form.read(node, path, self)

    def fault(self, path: str, message: str, mark: Mark | None = None) -> None:
        """Note a fault; without `mark` it stands where the path stands. Ends the reading at `MAX_FAULTS`."""
        line, column = mark or self.mark(path)
        self.problems.append(Problem(self.file, line, column, message, path))
        if len(self.problems) == MAX_FAULTS:
            raise PlanError([*self.problems, Problem(self.file, line, column, "and more; the reading ended here")])

    def unexpected(self, form: Form, node: Node, path: str) -> Any:
        """Note that a value is of another kind than `form` wants; returns `INVALID`."""
        self.fault(path, f"expected {form.wants}, not {_kind(node)}", node.mark if _written(node) else None)
        return INVALID

    def mark(self, path: str) -> Mark:
        """Where a path stands; for one not in the file, where it would come from: its default, or what holds it."""
        inherited = re.sub(r"^newsletters\.[^.]+\.", "defaults.", path)
        while path:
            if found := self._marks.get(path) or self._marks.get(inherited):
                return found
            path, inherited = _parent(path), ""
        return Mark(1, 1)

    def entries(self, node: nodes.Mapping, path: str) -> Iterator[tuple[str, Mark, Node]]:
        """The pairs of a mapping, each key once; notes a fault for keys that stand twice or are no text."""
        seen: dict[str, Mark] = {}
        for key, value in node.entries:
            if not isinstance(key, Scalar):
                self.fault(path, f"{_kind(key)} cannot be a key", key.mark)
            elif key.text in seen:
                first = seen[key.text].line
                self.fault(_join(path, key.text), f"the key stands twice, first on line {first}", key.mark)
            else:
                seen[key.text] = key.mark
                yield key.text, key.mark, value


class Form(Protocol):
    """One form of a value. `wants` is what errors say was expected."""

    @property
    def wants(self) -> str: ...

    def read(self, node: Node, path: str, reading: Reading) -> Any: ...


@dataclass(frozen=True, slots=True)
class Word:
    """A single value: `parse` takes its text and raises `ValueError`. A `bare` one is written without quotes.

    `schema` is the same as far as a JSON Schema can say it; without one it is any text.
    """

    wants: str
    parse: Callable[[str], Any]
    bare: bool = False
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"}, compare=False)

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """What `parse` makes of the text."""
        if not isinstance(node, Scalar) or node.empty:
            return reading.unexpected(self, node, path)
        if self.bare and not node.plain:
            reading.fault(path, f"expected {self.wants}, not the text {shown(node.text)}; no quotes here", node.mark)
            return INVALID
        try:
            return self.parse(node.text)
        except ValueError as error:
            reading.fault(path, str(error), node.mark)
            return INVALID


@dataclass(frozen=True, slots=True)
class Named:
    """The name of something the reading knows (`kind`: template, calendar …), or else what `otherwise` takes."""

    kind: str
    otherwise: Callable[[str], Any] | None = None

    @property
    def wants(self) -> str:
        """For errors."""
        return f"the name of a {self.kind}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """The name itself, or what `otherwise` makes of it."""
        return Word(self.wants, lambda text: self._find(text, reading.names[self.kind])).read(node, path, reading)

    def _find(self, text: str, names: Collection[str]) -> Any:
        if text in names:
            return text
        near = suggest(text, names)
        if self.otherwise is None:
            raise ValueError(f"there is no {self.kind} {shown(text)}{near}")
        try:
            return self.otherwise(text)
        except ValueError as error:
            reason, _, advice = str(error).partition("; ")
            raise ValueError(f"{reason} and no {self.kind} of this file{near or '; ' + advice}") from None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, read as a tuple; no value stands in it twice."""

    item: Form
    least: int = 0

    @property
    def wants(self) -> str:
        """For errors."""
        return f"a list ([…]), each of it {self.item.wants}"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A tuple of the items, or INVALID when one of them is."""
        if not isinstance(node, nodes.Sequence):
            return reading.unexpected(self, node, path)
        before = len(reading.problems)
        values: dict[Any, None] = {}
        for place, item in enumerate(node.items):
            value = reading.read(self.item, item, f"{path}[{place}]")
            if value is not INVALID and value in values:
                reading.fault(f"{path}[{place}]", "this stands in the list already", item.mark)
            values[value] = None
        if len(values) < self.least:
            reading.fault(path, f"the list is empty; expected at least {self.least}", node.mark)
        return tuple(values) if len(reading.problems) == before else INVALID


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: its form, what it means, and whether `null` may unset what the defaults say."""

    form: Form
    meaning: str
    may_be_null: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with known keys, read as a dict of those that are there."""

    keys: Mapping[str, Key]
    wants: str = "a mapping (key: value)"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A dict; values that could not be read are in it as INVALID."""
        if not isinstance(node, nodes.Mapping):
            return reading.unexpected(self, node, path)
        values: dict[str, Any] = {}
        for name, mark, value in reading.entries(node, path):
            inner = _join(path, name)
            if (key := self.keys.get(name)) is None:
                reading.fault(inner, f"unknown key{suggest(name, self.keys)}", mark)
            elif key.may_be_null and isinstance(value, Scalar) and value.empty:
                values[name] = None
            else:
                values[name] = reading.read(key.form, value, inner, mark)
        return values


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping whose keys are names given by the file; `name` checks one, raising `ValueError`, and so does
    `pattern`."""

    name: Callable[[str], str]
    item: Form
    pattern: str
    wants: str = "a mapping (name: …)"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A dict in the file's order."""
        if not isinstance(node, nodes.Mapping):
            return reading.unexpected(self, node, path)
        values: dict[str, Any] = {}
        for name, mark, value in reading.entries(node, path):
            inner = _join(path, name)
            try:
                self.name(name)
            except ValueError as error:
                reading.fault(inner, str(error), mark)
            values[name] = reading.read(self.item, value, inner, mark)
        return values


@dataclass(frozen=True, slots=True)
class Anything:
    """A mapping whose inside another room checks: texts, whole numbers, flags, lists and mappings."""

    wants: str = "a mapping (key: value)"

    def read(self, node: Node, path: str, reading: Reading) -> Any:
        """A dict of plain values."""
        if not isinstance(node, nodes.Mapping):
            return reading.unexpected(self, node, path)
        entries = reading.entries(node, path)
        return {name: self._value(value, _join(path, name), reading) for name, _, value in entries}

    def _value(self, node: Node, path: str, reading: Reading) -> Any:
        if isinstance(node, nodes.Mapping):
            return self.read(node, path, reading)
        if isinstance(node, nodes.Sequence):
            return [self._value(item, f"{path}[{place}]", reading) for place, item in enumerate(node.items)]
        if node.empty:
            return None
        if node.plain and re.fullmatch(r"-?[0-9]{1,18}", node.text):
            return int(node.text)
        if node.plain and node.text in ("true", "false"):
            return node.text == "true"
        return node.text


def _written(node: Node) -> bool:
    """Whether anything stands there: the parser puts a value left out where the next token begins."""
    return not isinstance(node, Scalar) or not node.plain or node.text != ""


def _kind(node: Node) -> str:
    if isinstance(node, nodes.Mapping):
        return "a mapping"
    if isinstance(node, nodes.Sequence):
        return "a list"
    return "nothing" if node.empty else shown(node.text)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _parent(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]
