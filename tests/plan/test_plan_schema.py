"""The JSON Schema of schedule.yaml says of single values what the file's own check says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from newsletter.plan.json_schema import json_schema
from newsletter.plan.shape import key_table

ROOT = Path(__file__).parents[2]
SCHEMA = json_schema()
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}
KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "type", "properties", "additionalProperties", "propertyNames",
    "required", "items", "uniqueItems", "minItems", "pattern", "enum", "const", "minimum", "maximum", "anyOf", "allOf",
    "if", "then",
}  # fmt: skip


def faults(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """What the schema says against a value: the part of JSON Schema 2020-12 that it uses."""
    assert not schema.keys() - KNOWN, f"{schema.keys() - KNOWN} is checked by nobody"
    if "$ref" in schema:
        yield from faults(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], path)
    if "anyOf" in schema and not any(not list(faults(value, each, path)) for each in schema["anyOf"]):
        yield f"{path}: none of them"
    for each in schema.get("allOf", ()):
        yield from faults(value, each, path)
    if "if" in schema and not list(faults(value, schema["if"], path)):
        yield from faults(value, schema["then"], path)
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not one of them"
    if "const" in schema and value != schema["const"]:
        yield f"{path}: not {schema['const']}"
    wanted = schema.get("type")
    if wanted and (not isinstance(value, TYPES[wanted]) or (wanted == "integer" and isinstance(value, bool))):
        yield f"{path}: {value!r} is no {wanted}"
        return
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} has another form"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value} is too small or too large"
    if isinstance(value, list):
        yield from _list_faults(value, schema, path)
    if isinstance(value, dict):
        yield from _mapping_faults(value, schema, path)


def _list_faults(value: list[Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0) or (schema.get("uniqueItems") and len(set(value)) < len(value)):
        yield f"{path}: too few, or twice the same"
    for place, item in enumerate(value):
        yield from faults(item, schema.get("items", {}), f"{path}[{place}]")


def _mapping_faults(value: dict[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        yield from faults(name, schema.get("propertyNames", {}), f"{path}.{name}")
        other = schema.get("additionalProperties", {})
        if name in schema.get("properties", {}):
            yield from faults(inner, schema["properties"][name], f"{path}.{name}")
        elif other is False:
            yield f"{path}.{name}: unknown"
        else:
            yield from faults(inner, other, f"{path}.{name}")


def document(text: str) -> Any:
    """The file as a checker of JSON Schemas sees it: YAML 1.2, dates as the texts they are."""
    quoted = re.sub(r"(?<=[\s\[,])(\d{4}-\d\d-\d\d)(?=[\s\],}])", r'"\1"', text)
    return YAML(typ="safe", pure=True).load(quoted)


@pytest.mark.parametrize("file", ["schedule.yaml", "newsletter/demo/schedule.yaml"])
def test_the_shipped_schedules_are_accepted(file: str) -> None:
    assert list(faults(document((ROOT / file).read_text(encoding="utf-8")), SCHEMA)) == []


STARTER = (ROOT / "schedule.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("title: Asia AI Daily", "titel: Asia AI Daily", ".newsletters.asia-ai-daily.titel: unknown"),
        ('at: "07:00"', 'at: "7:00"', ".newsletters.asia-ai-daily.at: '7:00' has another form"),
        ('at: "07:00"', 'at: "25:00"', "'25:00' has another form"),
        ("[mon, tue", "[monday, tue", ".days[0]: 'monday' is not one of them"),
        ("related: 3", "related: 30", ".related: 30 is too small or too large"),
        ("related: 3", "related: three", "'three' is no integer"),
        ("lead: 90m", "lead: 90", ".stories.lead: 90 is no string"),
        ("mode: manual", "mode: manuel", ".defaults.approval.mode: 'manuel' is not one of them"),
        ("kind: folder, path: inbox", "kind: folder", ".sources.desk.path: missing"),
        ("kind: folder, path: inbox", "kind: fed", ".sources.desk.kind: 'fed' is not one of them"),
        ("languages: [en]", "languages: []", ".languages: too few"),
        ("languages: [en]", "languages: [en, en]", ".languages: too few, or twice"),
        ("  asia-ai-daily:", "  Asia Daily:", "'Asia Daily' has another form"),
        ("version: 1", "version: 2", ".version: 2 is too small or too large"),
        ("newsletters:", "newsleters:", ".newsletters: missing"),
    ],
)
def test_broken_schedules_are_not(old: str, new: str, fault: str) -> None:
    assert old in STARTER
    found = list(faults(document(STARTER.replace(old, new, 1)), SCHEMA))
    assert any(fault in each for each in found), found


def test_each_key_is_described_and_may_be_null_only_where_the_file_may_say_so() -> None:
    newsletter = SCHEMA["$defs"]["newsletter"]["properties"]
    assert {name: schema["description"] for name, schema in newsletter.items()} == {
        path.removeprefix("newsletters.NAME."): meaning
        for path, _, meaning in key_table()
        if path.startswith("newsletters.NAME.") and path.count(".") == 2
    }
    assert list(faults(None, newsletter["lock"])) == []
    assert list(faults(None, newsletter["at"])) != []
