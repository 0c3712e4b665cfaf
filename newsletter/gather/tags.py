"""Tags as publishers write them: a list, or one glued string; visible ones and `name:value` for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from newsletter.gather.cleaning import clean_text, shorten
from newsletter.model import machine_tag

__all__ = ["TagSet", "sort_tags", "split_tags", "unless_machine_tag"]

_TAG_LIMIT = 100
_MOST_TAGS = 60
_GLUED = re.compile(r"#.+#.")


@dataclass(frozen=True, slots=True)
class TagSet:
    """The tags of one story, sorted: what readers see in the given order, and what only machines read."""

    visible: tuple[str, ...] = ()
    byline: tuple[str, ...] = ()
    country: str | None = None
    machine: Mapping[str, str] = field(default_factory=dict)


def split_tags(text: str) -> list[str]:
    """The tags of one string: glued (`#a-id:7#byline:Kate Park#AI`), or divided by semicolons.

    The glued form cannot hold `C#`; a list can.
    """
    # Of divided tags each is cleaned by itself: an entity ends in a semicolon.
    cleaned = _cleaned(text)
    return cleaned.split("#") if cleaned.startswith("#") else text.split(";")


def sort_tags(tags: Iterable[str], *, marked: bool = False) -> TagSet:
    """Tell visible tags from machine tags; `byline:` and `country:` become the fields they stand for.

    A `#` before a tag is a mark of how tags are written and falls away, unless `marked` says it is part of the name.
    """
    visible: list[str] = []
    byline: list[str] = []
    machine: dict[str, str] = {}
    for written in tags:
        for tag in _unglued(_cleaned(written)):
            text = clean_text(tag, _TAG_LIMIT)
            text = text if marked else text.lstrip("#").strip()
            if (found := machine_tag(tag)) is None:
                visible += [text] if text else []
            elif found[0] == "byline":
                byline.append(shorten(found[1], _TAG_LIMIT))
            else:
                machine[found[0]] = shorten(found[1], _TAG_LIMIT)
    country = machine.pop("country", None)
    return TagSet(tuple(dict.fromkeys(visible))[:_MOST_TAGS], tuple(byline), country, machine)


def unless_machine_tag(text: str) -> str:
    """The text of a field that readers see, or nothing where a machine tag stands in it."""
    return "" if machine_tag(text) else text


def _cleaned(text: str) -> str:
    return clean_text(text).replace("\N{FULLWIDTH NUMBER SIGN}", "#")


def _unglued(text: str) -> list[str]:
    """The parts of a tag that is several, glued: it begins as such, or one of its parts is a machine tag."""
    parts = [part.strip() for part in text.split("#")]
    several = sum(map(bool, parts)) > 1
    return parts if several and (_GLUED.match(text) or any(map(machine_tag, parts))) else [text]
