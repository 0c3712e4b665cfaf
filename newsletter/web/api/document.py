"""The OpenAPI 3.1 document, made of the router, the policy and the declarations of the operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from newsletter.web.api.operations import JSON, OPERATIONS, Operation
from newsletter.web.api.problems import PROBLEM_TYPE
from newsletter.web.policy import PUBLIC, Access, Bearer

__all__ = ["PREFIX", "api_document"]

PREFIX = "/api/v1/"

_REFERENCE = "#/components/schemas/{model}"

_PARTS: Mapping[str, dict[str, object]] = {
    "number": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    "newsletter": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$", "maxLength": 120},
    "day": {
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(-[1-9][0-9]{0,3})?$",
        "description": "`2026-05-27`; `2026-05-27-2` for the second issue of that day.",
        "format": "issue-day",
    },
    "source": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "maxLength": 64},
    "brought": {"type": "string", "pattern": "^[0-9a-f]{16}$", "maxLength": 16},
}
"""What stands in an address."""

_WORDS = {
    200: "Done",
    201: "Made",
    202: "Taken, and not done yet",
    400: "The body or an address cannot be read",
    401: "No token, or none that is in force",
    403: "The token's role is too small",
    404: "There is nothing of that name",
    409: "Not as things stand now",
    413: "The body is too large",
    415: "The body is not of the type that is wanted",
    422: "A key or a value that cannot be taken; `errors` says which",
    429: "Too many requests; `Retry-After` says when",
    503: "The desk cannot answer now",
}

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and what to do."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "key", "detail"],
                "properties": {
                    "in": {"enum": ["query", "body"]},
                    "key": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

Routed = Iterable[tuple[str, Iterable[str], str]]
"""Path as the router has it, methods, and the name of the action."""


def api_document(routes: Routed, access: Mapping[str, Access]) -> dict[str, Any]:
    """The document of every route below `PREFIX`; raises `KeyError` for one that nothing declares."""
    routed = [each for each in routes if each[0].startswith(PREFIX)]
    references, schemas = _schemas([OPERATIONS[name] for _, _, name in routed])
    paths: dict[str, dict[str, object]] = {}
    for path, methods, name in routed:
        bare = re.sub(r"{(\w+)(:\w+)?}", r"{\1}", path)
        for method in methods:
            if method != "HEAD":
                paths.setdefault(bare, {})[method.lower()] = _one(name, bare, access[name], references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Newsdesk",
            "version": "1",
            "description": "Stories, issues and subscribers of a news desk. Errors are problems (RFC 9457).",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(OPERATIONS[name].tag for _, _, name in routed)],
        "paths": paths,
        "components": {
            "schemas": schemas | {"Problem": _PROBLEM},
            "responses": {
                f"Problem{status}": _response(status, PROBLEM_TYPE, {"$ref": "#/components/schemas/Problem"})
                for status in _WORDS
                if status >= 400
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token of the desk."},
                "sourceKey": {"type": "http", "scheme": "bearer", "description": "The key of a source."},
            },
        },
    }


def _schemas(declared: Iterable[Operation]) -> tuple[dict[type[BaseModel], dict[str, Any]], dict[str, Any]]:
    """Where each model's schema stands, and the schemas."""
    wanted: dict[type[BaseModel], JsonSchemaMode] = {}
    for each in declared:
        wanted |= {model: "validation" for model in (each.query, each.body, *each.answers.values()) if model}
    found, whole = models_json_schema(
        list(wanted.items()), ref_template=_REFERENCE, schema_generator=GenerateJsonSchema, by_alias=True
    )
    return {model: found[model, mode] for model, mode in wanted.items()}, whole.get("$defs", {})


def _one(name: str, path: str, needed: Access, references: Mapping[type[BaseModel], Any]) -> dict[str, object]:
    declared = OPERATIONS[name]
    parts = re.findall(r"{(\w+)}", path)
    parameters = [{"name": part, "in": "path", "required": True, "schema": _PARTS[part]} for part in parts]
    if declared.query is not None:
        parameters += _query_parameters(declared.query)
    role = f" Needs a token of the role {needed.role}." if isinstance(needed, Bearer) else ""
    document: dict[str, object] = {
        "operationId": name,
        "tags": [declared.tag],
        "summary": declared.summary,
        "description": f"{declared.detail}{role}".strip(),
        "responses": _responses(declared, needed, references),
        "security": _security(name, needed),
    }
    if parameters:
        document["parameters"] = parameters
    schema = references[declared.body] if declared.body else declared.raw
    if schema is not None:
        document["requestBody"] = {"required": True, "content": {declared.media: {"schema": schema}}}
    return document


def _query_parameters(model: type[BaseModel]) -> list[dict[str, object]]:
    """One a key, its schema spelled out where it stands: there is one level, and null cannot be written in a query."""
    whole = model.model_json_schema(ref_template=_REFERENCE)
    found = []
    for key, schema in whole["properties"].items():
        choices = [each for each in schema.pop("anyOf", []) if each.get("type") != "null"]
        schema |= choices[0] if choices else {}
        if "$ref" in schema:
            schema = whole["$defs"][schema.pop("$ref").rpartition("/")[2]] | schema
        if schema.get("default", 0) is None:
            schema.pop("default")
        schema.pop("title", None)
        found.append({"name": key, "in": "query", "required": key in whole.get("required", ()), "schema": schema})
    return found


def _security(name: str, needed: Access) -> list[dict[str, list[str]]]:
    if isinstance(needed, Bearer):
        return [{"token": []}]
    return [{"sourceKey": []}] if name == "story_push" else []


def _responses(declared: Operation, needed: Access, references: Mapping[type[BaseModel], Any]) -> dict[str, object]:
    found: dict[str, object] = {
        str(status): _response(status, JSON, references[model]) for status, model in declared.answers.items()
    }
    if declared.gives:
        found["200"] = _response(200, declared.gives, {"type": "string"})
    statuses = {*declared.problems}
    if isinstance(needed, Bearer):
        statuses |= {400, 401, 403, 422, 429}
    if needed is not PUBLIC:
        statuses |= {503}
    if declared.body is not None:
        statuses |= {400, 413, 415}
    if declared.raw is not None:
        statuses |= {413} if declared.media == JSON else {413, 415}
    for status in sorted(statuses - declared.answers.keys()):
        found[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return dict(sorted(found.items()))


def _response(status: int, kind: str, schema: object) -> dict[str, object]:
    return {"description": _WORDS[status], "content": {kind: {"schema": schema}}}
