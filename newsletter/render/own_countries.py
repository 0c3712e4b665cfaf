"""What a desk calls countries, and regions of its schedule, where it does not follow us: `templates/countries.toml`.

[TW]
en = "Chinese Taipei"     # names by language
flag = ""                 # the file of another flag, or none
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from newsletter.countries import is_country
from newsletter.render import FLAGS
from newsletter.render.toml_files import Fault, read_toml

__all__ = ["read_countries"]

_REGION = re.compile(r"[a-z][a-z0-9-]{2,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def read_countries(folders: Sequence[Path]) -> dict[str, dict[str, str]]:
    """By country its names by language, and `flag`; the first folder counts. Raises `TemplateError`."""
    found: dict[str, dict[str, str]] = {}
    for path in (path for folder in reversed(folders) if (path := folder / "countries.toml").is_file()):
        file = read_toml(path)
        file.refuse(_faults(file.document))
        for code, values in file.document.items():
            found[code] = {**found.get(code, {}), **values}
    return found


def _faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    for code, values in document.items():
        if not is_country(code) and not _REGION.fullmatch(code):
            yield code, "", f"{code!r} is no country; its code is two capitals, as in [TW]"
        elif not isinstance(values, dict):
            yield code, "", f'{code} has names by language: [{code}] and below it en = "…"'
        else:
            yield from ((code, key, why) for key, value in values.items() if (why := _fault(key, value)))


def _fault(key: str, value: object) -> str | None:
    if not isinstance(value, str):
        return f"{key} is text in quotes"
    if key == "flag":
        known = value == "" or ((FLAGS / value).is_file() and "/" not in value)
        return None if known else f'there is no flag {value!r}; one is called cn.png, and "" shows none'
    if not _LANGUAGE.fullmatch(key):
        return f"{key!r} is neither flag nor a language such as en or zh-Hant"
    return None if value.strip() else f"the name in {key} is empty"
