"""Segments: rules of schedule.yaml that choose subscribers, parsed into a small tree.

    {frequency: daily, country_any: [CN, JP]}          all of the keys must hold
    {language: [en, zh], attributes: {plan: gold}}     one of the values must
    {any: [{…}, {…}]}   {all: [{…}, {…}]}   {not: {…}}

A reader who stated no countries, language or time zone takes what the newsletter offers, and is not left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from subscribers.errors import PreferenceError, SegmentError, SegmentProblem
from subscribers.preferences import parse_countries, parse_frequency, parse_language, parse_timezone

__all__ = ["All", "AnyOf", "HasAttribute", "Is", "Not", "Rule", "Traits", "WantsCountry", "parse_segment"]

_MOST_LEVELS = 8
_Path = tuple[str | int, ...]


class Traits(Protocol):
    """What a rule may look at."""

    @property
    def frequency(self) -> str: ...
    @property
    def countries(self) -> Sequence[str] | None: ...
    @property
    def language(self) -> str | None: ...
    @property
    def timezone(self) -> str | None: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...


class Rule(Protocol):
    """One node of the tree; `uses_attributes` says whether it, or one below it, looks at `attributes`."""

    @property
    def uses_attributes(self) -> bool: ...

    def matches(self, reader: Traits) -> bool: ...


@dataclass(frozen=True, slots=True)
class Is:
    """The reader's `field` is one of `values`; a language also where it is a kind of one (`en-GB` of `en`)."""

    field: str
    values: frozenset[str]
    uses_attributes = False

    def matches(self, reader: Traits) -> bool:
        value = getattr(reader, self.field)
        if value is None or value in self.values:
            return True
        return self.field == "language" and any(value.startswith(f"{wanted}-") for wanted in self.values)


@dataclass(frozen=True, slots=True)
class WantsCountry:
    """The reader wants at least one of `countries`."""

    countries: frozenset[str]
    uses_attributes = False

    def matches(self, reader: Traits) -> bool:
        return reader.countries is None or not self.countries.isdisjoint(reader.countries)


@dataclass(frozen=True, slots=True)
class HasAttribute:
    """The reader's attribute `name` is one of `values`."""

    name: str
    values: frozenset[str]
    uses_attributes = True

    def matches(self, reader: Traits) -> bool:
        return reader.attributes.get(self.name) in self.values


@dataclass(frozen=True, slots=True)
class All:
    """Every one of `rules` holds; without any it chooses everybody."""

    rules: tuple[Rule, ...] = ()

    @property
    def uses_attributes(self) -> bool:
        return any(rule.uses_attributes for rule in self.rules)

    def matches(self, reader: Traits) -> bool:
        return all(rule.matches(reader) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of `rules` holds."""

    rules: tuple[Rule, ...]

    @property
    def uses_attributes(self) -> bool:
        return any(rule.uses_attributes for rule in self.rules)

    def matches(self, reader: Traits) -> bool:
        return any(rule.matches(reader) for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Not:
    """`rule` does not hold."""

    rule: Rule

    @property
    def uses_attributes(self) -> bool:
        return self.rule.uses_attributes

    def matches(self, reader: Traits) -> bool:
        return not self.rule.matches(reader)


def parse_segment(segment: object) -> Rule:
    """The rule that the `segment` of a newsletter spells; raises `SegmentError` with every fault and its key."""
    reading = _Reading([])
    rule = reading.mapping(segment, ())
    if reading.problems:
        raise SegmentError(reading.problems)
    return rule


@dataclass(frozen=True, slots=True)
class _Reading:
    """Walks a segment and collects its faults on the way; a faulty part reads as `All()`."""

    problems: list[SegmentProblem]

    def mapping(self, segment: object, path: _Path) -> Rule:
        if not isinstance(segment, Mapping):
            return self._fault(path, "must be a mapping such as {frequency: daily}")
        if len(path) > _MOST_LEVELS:
            return self._fault(path, "is nested too deeply")
        return All(tuple(self._rule(str(key), value, (*path, str(key))) for key, value in segment.items()))

    def _rule(self, key: str, value: object, path: _Path) -> Rule:
        match key:
            case "all":
                return All(self._rules(value, path))
            case "any":
                return AnyOf(self._rules(value, path))
            case "not":
                return Not(self.mapping(value, path))
            case "country_any":
                return WantsCountry(self._values(value, path, _read_country))
            case "attributes":
                return self._attributes(value, path)
            case _ if key in _FIELDS:
                return Is(key, self._values(value, path, _FIELDS[key]))
        return self._fault(path, f"unknown field{_meant(key)}")

    def _rules(self, value: object, path: _Path) -> tuple[Rule, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or not value:
            return (self._fault(path, "must be a list of segments"),)
        return tuple(self.mapping(part, (*path, place)) for place, part in enumerate(value))

    def _attributes(self, value: object, path: _Path) -> Rule:
        if not isinstance(value, Mapping) or not value:
            return self._fault(path, "must name attributes and their values, such as {plan: gold}")
        return All(
            tuple(
                HasAttribute(str(name), self._values(wanted, (*path, str(name)), _read_text))
                for name, wanted in value.items()
            )
        )

    def _values(self, value: object, path: _Path, read: Callable[[str], str]) -> frozenset[str]:
        return frozenset(self._each_value(value, path, read))

    def _each_value(self, value: object, path: _Path, read: Callable[[str], str]) -> Iterator[str]:
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        if not values:
            self._fault(path, "must name at least one value")
        for one in values:
            if isinstance(one, bool) or not isinstance(one, str | int):
                self._fault(path, f"{one!r} is not text; put it in quotation marks")
                continue
            try:
                yield read(str(one))
            except PreferenceError as error:
                self._fault(path, str(error))

    def _fault(self, path: _Path, message: str) -> All:
        self.problems.append(SegmentProblem(path, message))
        return All()


def _read_text(text: str) -> str:
    return text


def _read_country(text: str) -> str:
    # Which regions there are stands elsewhere in schedule.yaml: a word of more than two letters is one.
    return text if len(text) > 2 and text.islower() else parse_countries([text])[0]


_FIELDS: Mapping[str, Callable[[str], str]] = {
    "frequency": parse_frequency,
    "language": parse_language,
    "timezone": parse_timezone,
}


def _meant(key: str) -> str:
    known = [*_FIELDS, "country_any", "attributes", "all", "any", "not"]
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
