"""Parsing where it can do no harm: in a child process with limits on time and memory.

A feed of 10 MiB just inside the limits of `screening.py` took a parser 27 s and 2 GB. Here it takes a child that is
killed, and an error; neither the other sources nor the process that asked notice more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import cast

from pydantic import TypeAdapter

from newsletter.confined import Confinement, OutlastedError
from newsletter.errors import NewsletterError, SourceError
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["Parse", "answer", "parse_confined", "prepare"]

Parsed = tuple[list[Story], list[Refusal]]
Parse = Callable[..., Parsed]
"""`parse(data: bytes, plan, now, *, address: str, content_type: str | None) -> (stories, refusals)`, pure."""

CONFINEMENT = Confinement(__name__, seconds=10, memory=140 * 2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    module: str
    plan: SourcePlan
    now: datetime
    address: str
    content_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    stories: list[Story] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    error: str | None = None


_JOB, _RESULT = TypeAdapter(_Job), TypeAdapter(_Result)


def parse_confined(
    module: str,
    data: bytes | bytearray,
    plan: SourcePlan,
    now: datetime,
    *,
    address: str,
    content_type: str | None = None,
) -> Parsed:
    """What `parse` of that module makes of the bytes; raises `SourceError` when it fails or outlasts its limits."""
    job = _Job(module=module, plan=plan, now=now, address=address, content_type=content_type)
    try:
        result = _RESULT.validate_json(CONFINEMENT.ask(_JOB.dump_json(job), data))
    except OutlastedError as error:
        where = f"source {plan.id}: {address or 'the saved feed'}"
        raise SourceError(f"{where}: parsing it {error}; it was not read. Ask its owner for a shorter one") from None
    if result.error is not None:
        raise SourceError(result.error)
    return result.stories, result.refused


def prepare() -> None:
    """In a child: load what parses."""
    for name in ("feed", "ghost", "jsonfeed", "ninjs", "wordpress"):
        import_module(f"newsletter.gather.{name}")


def answer(head: bytes, data: bytes) -> bytes:
    """In a child: the stories of one job, or the error."""
    job = _JOB.validate_json(head)
    try:
        parse = cast("Parse", import_module(job.module).parse)
        stories, refused = parse(data, job.plan, job.now, address=job.address, content_type=job.content_type)
        return _RESULT.dump_json(_Result(stories=stories, refused=refused))
    except NewsletterError as error:
        return _RESULT.dump_json(_Result(error=str(error)))
