"""JSON as sources answer with it: read with limits, and fields taken out of it whatever they turn out to be."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from newsletter.errors import SourceError
from newsletter.gather.encoding import decode_feed

__all__ = ["array", "fields", "load", "text"]

_MOST_ELEMENTS = 600_000

Fields = Mapping[str, Any]


def load(data: bytes, content_type: str | None, where: str, wanted: str) -> Any:
    """The value of a JSON document; raises `SourceError` that says what came instead of `wanted` from `where`."""
    document = decode_feed(data, content_type)
    if not document.strip():
        raise SourceError(f"{where} is an empty answer, not {wanted}; correct its url")
    if document[:1] == "<":
        raise SourceError(f"{where} is a page or an XML feed, not {wanted}; correct its url or its kind")
    if document.count(",") + document.count("[") + document.count("{") > _MOST_ELEMENTS:
        raise SourceError(f"{where} holds over {_MOST_ELEMENTS:,} values, more than any newspaper's; it was not read")
    try:
        return json.loads(document)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{where} is no JSON that can be read ({error}); look at it in a browser") from None


def fields(value: object) -> Fields:
    """The value as an object; an empty one where it is something else."""
    return value if isinstance(value, Mapping) else {}


def array(value: object) -> Sequence[Any]:
    """The value as a list; an empty one where it is something else."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str:
    """The value as text: a text itself, a whole number, or what WordPress wraps as {"rendered": …}; else nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value.get("rendered")) if isinstance(value, Mapping) and "rendered" in value else ""
