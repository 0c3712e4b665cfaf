"""What a desk calls countries, and regions of its schedule, where it does not follow us: `templates/countries.toml`.

[TW]
en = "Chinese Taipei"     # names by language
flag = ""                 # the file of another flag, or none
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from newsletter.countries import is_country
from newsletter.errors import Problem, TemplateError
from newsletter.render import FLAGS

__all__ = ["read_countries"]

_REGION = re.compile(r"[a-z][a-z0-9-]{2,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def read_countries(folders: Sequence[Path]) -> dict[str, dict[str, str]]:
    """By country its names by language, and `flag`; the first folder counts. Raises `TemplateError`."""
    found: dict[str, dict[str, str]] = {}
    for path in (path for folder in reversed(folders) if (path := folder / "countries.toml").is_file()):
        try:
            text = path.read_text(encoding="utf-8")
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            line = re.search(r"line (\d+)", str(error))
            raise TemplateError([Problem(str(path), int(line[1]) if line else 1, 1, str(error))]) from None
        lines = text.splitlines()
        if problems := [Problem(str(path), _line(lines, *at), 1, message) for at, message in _faults(document)]:
            raise TemplateError(problems)
        for code, values in document.items():
            found[code] = {**found.get(code, {}), **values}
    return found


def _faults(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for code, values in document.items():
        if not is_country(code) and not _REGION.fullmatch(code):
            yield (code, ""), f"{code!r} is no country; its code is two capitals, as in [TW]"
        elif not isinstance(values, dict):
            yield (code, ""), f'{code} has names by language: [{code}] and below it en = "…"'
        else:
            yield from (((code, key), why) for key, value in values.items() if (why := _fault(key, value)))


def _fault(key: str, value: object) -> str | None:
    if not isinstance(value, str):
        return f"{key} is text in quotes"
    if key == "flag":
        known = value == "" or ((FLAGS / value).is_file() and "/" not in value)
        return None if known else f'there is no flag {value!r}; one is called cn.png, and "" shows none'
    if not _LANGUAGE.fullmatch(key):
        return f"{key!r} is neither flag nor a language such as en or zh-Hant"
    return None if value.strip() else f"the name in {key} is empty"


def _line(lines: Sequence[str], code: str, key: str) -> int:
    """Where a table, or a key of it, stands; the first line where it is written in a way of its own."""
    start = next((number for number, line in enumerate(lines, 1) if code in line), 1)
    within = enumerate(lines[start:], start + 1)
    return next((number for number, line in within if key and line.lstrip().startswith(key)), start)
