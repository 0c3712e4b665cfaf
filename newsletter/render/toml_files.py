"""The TOML files that lie among templates: read whole, or refused with the line of what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.errors import Problem, TemplateError

__all__ = ["Fault", "TomlFile", "read_toml"]

_MOST_BYTES = 64_000

Fault = tuple[str, str, str]
"""The table, the key in it (or an empty string), and what is wrong."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file says, and the text that says where it says it."""

    path: Path
    text: str
    document: Mapping[str, Any]

    def refuse(self, faults: Iterable[Fault]) -> None:
        """Raise `TemplateError` where there are faults, with all of them."""
        if problems := [Problem(str(self.path), self._line(table, key), 1, why) for table, key, why in faults]:
            raise TemplateError(problems)

    def _line(self, table: str, key: str) -> int:
        """Where a table, or a key of it, stands; its first line where it is written in a way of its own."""
        lines = self.text.splitlines()
        head = re.compile(rf"\s*(\[\s*[\"']?{re.escape(table)}[\"']?\s*\]|[\"']?{re.escape(table)}[\"']?\s*[.=])")
        start = next((number for number, line in enumerate(lines, 1) if head.match(line)), 1)
        entry = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        rest = enumerate(lines[start:], start + 1)
        return next((number for number, line in rest if key and entry.match(line)), start)


def read_toml(path: Path) -> TomlFile:
    """The file; raises `TemplateError` with the line where it is no TOML."""
    data = path.read_bytes()
    if len(data) > _MOST_BYTES:
        raise TemplateError([Problem(str(path), 1, 1, f"this is larger than {_MOST_BYTES:,} bytes")])
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        return TomlFile(path, text, tomllib.loads(text))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TemplateError([Problem(str(path), line, 1, "this line is not UTF-8; save the file as UTF-8")]) from None
    except RecursionError:
        raise TemplateError([Problem(str(path), 1, 1, "this is nested too deep")]) from None
    except tomllib.TOMLDecodeError as error:
        line = int(found[1]) if (found := re.search(r"line (\d+)", str(error))) else text.count("\n") + 1
        raise TemplateError([Problem(str(path), line, 1, f"this is not TOML: {error}")]) from None
