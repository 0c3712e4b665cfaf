"""Tags as publishers write them: a list, or one glued string; visible ones and `name:value` for machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from newsletter.gather.cleaning import clean_text

__all__ = ["TagSet", "sort_tags", "split_tags"]

_TAG_LIMIT = 100
_MOST_TAGS = 60
# A machine tag's name is lower case and at least three letters ("re:Invent" is a title), and no space follows the
# colon ("ai: the future" is one too). Schemes are addresses, which are no tags of machines either.
_MACHINE_TAG = re.compile(r"(?!https?:|mailto:|tel:|urn:)([a-z][a-z0-9_.-]{2,40}|id):(?![\s/])(.+)")
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
    return text.split("#") if text.lstrip().startswith("#") else text.split(";")


def sort_tags(tags: Iterable[str], *, marked: bool = False) -> TagSet:
    """Tell visible tags from machine tags; `byline:` and `country:` become the fields they stand for.

    A `#` before a tag is a mark of how tags are written and falls away, unless `marked` says it is part of the name.
    """
    visible: list[str] = []
    byline: list[str] = []
    machine: dict[str, str] = {}
    for written in tags:
        for tag in split_tags(written) if _GLUED.match(written) else (written,):
            text = clean_text(tag, _TAG_LIMIT)
            text = text if marked else text.removeprefix("#").strip()
            match = _MACHINE_TAG.fullmatch(text)
            if match is None:
                visible += [text] if text else []
            elif match[1] == "byline":
                byline.append(match[2])
            else:
                machine[match[1]] = match[2]
    country = machine.pop("country", None)
    return TagSet(tuple(dict.fromkeys(visible))[:_MOST_TAGS], tuple(byline), country, machine)
