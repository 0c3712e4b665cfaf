"""One declaration an operation: what it takes and answers. Requests are checked by it, and OpenAPI is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newsletter.errors import InputError, NotFoundError
from newsletter.web.api.problems import Fault, UnfitError
from newsletter.web.asking import Action, Ask

__all__ = ["JSON", "OPERATIONS", "Operation", "operation", "undeclared"]

JSON = "application/json"

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`query` and `body` are read into values and given to the action, in this order; without one there may be none.

    `raw` is the schema of a body that the action reads by itself, of the type `media`. `answers` are models by status,
    or with 200 a text of the type that it `gives`; `problems` are statuses of errors beside those that follow from the
    rest.
    """

    tag: str
    summary: str
    detail: str = ""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    raw: Mapping[str, object] | None = None
    media: str = JSON
    answers: Mapping[int, type[BaseModel]] = field(default_factory=dict)
    gives: str = ""
    problems: tuple[int, ...] = ()


OPERATIONS: dict[str, Operation] = {}
"""By the name of the action, as the router and the policy know it."""


def operation(declared: Operation) -> Callable[[Callable[..., Response]], Action]:
    """Declare an action: it is called with the request, and with its query and body where it has them."""

    def declare(action: Callable[..., Response]) -> Action:
        OPERATIONS[action.__name__] = declared

        @wraps(action)
        def checked(ask: Ask) -> Response:
            given: list[object] = []
            if declared.query is not None:
                given.append(_query(ask, declared.query))
            elif ask.query:
                raise UnfitError([Fault("query", key, "this operation has no such key") for key in ask.query])
            if declared.body is not None:
                given.append(_body(ask, declared.body))
            elif declared.raw is not None and _kind_of(ask) != declared.media:
                raise HTTPException(415, f"send the body with Content-Type: {declared.media}")
            try:
                return action(ask, *given)
            except NotFoundError:
                raise
            except InputError as error:
                raise HTTPException(422, str(error)) from None

        return checked

    return declare


def _kind_of(ask: Ask) -> str:
    """What the body is said to be."""
    return ask.request.headers.get("content-type", "").partition(";")[0].strip().lower()


def undeclared(declared: Operation) -> Callable[[Action], Action]:
    """Describe an action that reads its request by itself: what another system sends."""

    def declare(action: Action) -> Action:
        OPERATIONS[action.__name__] = declared
        return action

    return declare


def _query(ask: Ask, model: type[_Model]) -> _Model:
    items = ask.query.multi_items()
    given = dict(items)
    twice = {key for key, _ in items if sum(other == key for other, _ in items) > 1}
    if twice:
        raise UnfitError([Fault("query", key, "it is given twice") for key in sorted(twice)])
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise UnfitError(_faults("query", model, error)) from None


def _body(ask: Ask, model: type[_Model]) -> _Model:
    if _kind_of(ask) != JSON:
        raise HTTPException(415, "send the body as JSON, with Content-Type: application/json")
    try:
        json.loads(ask.body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON text in UTF-8") from None
    try:
        return model.model_validate_json(ask.body)
    except ValidationError as error:
        raise UnfitError(_faults("body", model, error)) from None


def _faults(place: str, model: type[BaseModel], error: ValidationError) -> list[Fault]:
    return [
        Fault(place, ".".join(map(str, each["loc"])), _advice(model, each))
        for each in error.errors(include_url=False, include_input=False)[:20]
    ]


def _advice(model: type[BaseModel], fault: Any) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return f"there is no such key; there are {', '.join(model.model_fields)}"
        case "missing":
            return "it is required"
        case "string_pattern_mismatch":
            return f"it must match {fault['ctx']['pattern']}"
    words = str(fault["msg"]).removeprefix("Value error, ")
    return words[:1].lower() + words[1:]
