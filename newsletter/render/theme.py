"""theme.toml: colours, typefaces, spaces and logo of the mails, the desk's values before the shipped ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from newsletter.render.toml_files import Fault, read_toml

__all__ = ["TOKEN", "read_theme", "unused_values"]

TOKEN = re.compile(r"\[\[\s*([a-z_]+(?:\.[a-z_]+)+)\s*\]\]")
"""How a template asks for a value: `[[light.accent]]`."""

_COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{3}){1,2}")
_LENGTH = re.compile(r"[0-9]{1,2}px|0")
_FACE = r"(?:[A-Za-z0-9-]+(?: [A-Za-z0-9-]+)*|'[A-Za-z0-9 -]+')"
_FACES = re.compile(rf"({_FACE}(?: *, *{_FACE})*)?")
_ADDRESS = re.compile(r"(https://[^\s\"'<>{}\[\]]+)?")
_BREAKS_OUT = re.compile(r"[<>{};\"\\\x00-\x1f]")


def read_theme(folders: Sequence[Path]) -> Mapping[str, Any]:
    """The values by table and key; raises `TemplateError` with the line of every value that no mail can show."""
    theme: Mapping[str, Any] = {}
    for path in (path for folder in reversed(folders) if (path := folder / "theme.toml").is_file()):
        file = read_toml(path)
        file.refuse(_faults(file.document))
        theme = _merged(theme, file.document)
    return theme


def unused_values(theme: Mapping[str, Any], texts: Sequence[str]) -> Iterator[str]:
    """A sentence about each value that none of the template texts asks for: often a key with a letter amiss."""
    asked = {name for text in texts for name in TOKEN.findall(text)}
    given = {f"{table}.{key}" for table, values in theme.items() for key in values}
    for name in sorted(given - asked):
        near = difflib.get_close_matches(name, asked, 1, cutoff=0.8)
        yield f"no template asks for {name}" + (f"; did you mean {near[0]}?" if near else "")


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    return reduce(lambda theme, table: {**theme, table: {**theme.get(table, {}), **over[table]}}, over, under)


def _faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    for table, values in document.items():
        if not isinstance(values, Mapping):
            yield table, "", f"{table} holds values: [{table}] and below it what it changes"
            continue
        for key, value in values.items():
            if why := _fault(table, key, value):
                yield table, key, why


def _fault(table: str, key: str, value: object) -> str | None:
    name = f"{table}.{key}"
    if not isinstance(value, str | int) or isinstance(value, bool):
        return f"{name} is a text in quotes or a whole number"
    text = str(value)
    if table in ("light", "dark"):
        return None if _COLOUR.fullmatch(text) else f"{name} is a colour, written #RRGGBB, not {text!r}"
    if table == "space":
        return None if _LENGTH.fullmatch(text) else f"{name} is a length of up to 99px such as 24px, not {text!r}"
    if table == "fonts" and not _FACES.fullmatch(text):
        return f"{name} is a list of typefaces such as Arial, 'Noto Sans', sans-serif, not {text[:80]!r}"
    if name == "logo.address":
        return None if _ADDRESS.fullmatch(text) else f"{name} begins with https://, or is empty"
    if name in ("logo.width", "logo.height"):
        return None if text.isdecimal() and int(text) <= 600 else f"{name} is a number of pixels up to 600"
    if _BREAKS_OUT.search(text):
        return f'{name} may hold none of < > {{ }} ; \\ and "'
    return f"{name} is longer than 500 characters" if len(text) > 500 else None
