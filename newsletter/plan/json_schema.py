"""The shape of schedule.yaml as a JSON Schema (2020-12), for editors that check and complete while one types.

It says what one value can be. What holds between values (a calendar that is named and not there, a required key that
is neither here nor under `defaults`) only `newsletter schedule check` tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsletter.plan.forms import Anything, Form, Key, ListOf, MapOf, Named, Table, Word
from newsletter.plan.shape import FILE, NEWSLETTER, SOURCE, SOURCE_NEEDS

__all__ = ["json_schema"]

_DEFINED: Mapping[int, str] = {id(NEWSLETTER): "newsletter", id(SOURCE): "source"}


def json_schema() -> dict[str, Any]:
    """The whole schema, made from the forms that check the file itself."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "schedule.yaml of a news desk",
        **_table(FILE),
        "required": ["newsletters"],
        "$defs": {
            "newsletter": _table(NEWSLETTER),
            "source": {**_table(SOURCE), "required": ["kind"], "allOf": [*map(_needs, SOURCE_NEEDS)]},
        },
    }


def _needs(kind: str) -> dict[str, Any]:
    """What a source of that kind has to say."""
    return {"if": {"properties": {"kind": {"const": kind}}}, "then": {"required": list(SOURCE_NEEDS[kind])}}


def _schema(form: Form) -> dict[str, Any]:
    if name := _DEFINED.get(id(form)):
        return {"$ref": f"#/$defs/{name}"}
    match form:
        case Table():
            return _table(form)
        case MapOf():
            names = {"pattern": f"^{form.pattern}$"}
            return {"type": "object", "propertyNames": names, "additionalProperties": _schema(form.item)}
        case ListOf():
            least = {"minItems": form.least} if form.least else {}
            return {"type": "array", "items": _schema(form.item), "uniqueItems": True, **least}
        case Word():
            return dict(form.schema)
        case Named():
            return {"type": "string"}
        case Anything():
            return {"type": "object"}
    raise AssertionError(f"{form!r} is a form that no schema is known for")


def _table(table: Table) -> dict[str, Any]:
    properties = {name: _key(key) for name, key in table.keys.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _key(key: Key) -> dict[str, Any]:
    schema = _schema(key.form)
    if key.may_be_null:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {"description": key.meaning, **schema}
