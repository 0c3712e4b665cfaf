"""The tag lists of DKIM's records: `v=DKIM1; k=rsa; p=…` (RFC 6376 section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.deliver.doctor.diagnosis import shown
from newsletter.deliver.doctor.resolver import LONGEST_TEXT

__all__ = ["TagList", "read_tags"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VALUE = re.compile(r"[!-:<-~ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class TagList:
    """The tags in their order, names as written (case counts); or the `fault` for which nobody reads the list."""

    tags: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


def read_tags(text: str) -> TagList:
    """Read a tag list; what cannot be read is its `fault`."""
    if len(text) > LONGEST_TEXT:
        return TagList(fault=f"it is longer than {LONGEST_TEXT} characters")
    tags: dict[str, str] = {}
    for spec in text.strip(" \t\r\n").removesuffix(";").split(";"):
        name, equals, value = (part.strip(" \t\r\n") for part in spec.partition("="))
        if not equals or not _NAME.fullmatch(name):
            return TagList(fault=f"“{shown(spec.strip(), 40)}” is no tag=value")
        if not _VALUE.fullmatch(value):
            return TagList(fault=f"the value of {name}= holds what may not stand there")
        if name in tags:
            return TagList(fault=f"{name}= stands there twice")
        tags[name] = value
    return TagList(tags)
