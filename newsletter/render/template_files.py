"""The files of a mail template: where they are looked for, and which line of which file a fault stands on."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice
from pathlib import Path
from typing import Any

from newsletter.errors import Problem, TemplateError
from newsletter.render.theme import TOKEN, read_theme

__all__ = ["Shelf", "Stamp", "TemplateFile", "TemplateText", "edited_files", "shipped_folders"]

_INCLUDE = re.compile(
    r"""\s*(?:<mj-include\s+path=["']([^"']*)["']\s*/>|\{%-?\s*include\s+["']([^"']*)["']\s*-?%\})\s*"""
)
_EDITED = frozenset({".mjml", ".txt", ".toml", ".json"})
_YOUNG_NS = 2_000_000_000
_DEEPEST_INCLUDE, _MOST_INCLUDES, _MOST_LINES, _MOST_BYTES = 5, 200, 20_000, 250_000


@dataclass(frozen=True, slots=True)
class TemplateText:
    """Template text put together from files; `origins` gives file and line of each of its lines."""

    text: str
    origins: tuple[tuple[str, int], ...]

    def problem(self, line: int, message: str, column: int = 1) -> Problem:
        """A fault on a 1-based line of `text`, named by the file and line it came from."""
        file, origin = self.origins[min(max(line, 1), len(self.origins)) - 1]
        return Problem(file, origin, column, message)

    def problem_at(self, offset: int, message: str) -> Problem:
        """A fault at a character of `text`, counted from 0."""
        return self.problem(self.line_at(offset), message, offset - self.text.rfind("\n", 0, offset))

    def line_at(self, offset: int) -> int:
        """The 1-based line of a character of `text`."""
        return self.text.count("\n", 0, offset) + 1


class Shelf:
    """Template folders, the desk's before the shipped ones. One file, or one colour, can be replaced alone."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    @cached_property
    def theme(self) -> Mapping[str, Any]:
        """The values of theme.toml; raises `TemplateError`."""
        return read_theme(self._folders)

    def find(self, name: str) -> Path | None:
        """The first file called `name` (a relative path), or None; never one outside its folder."""
        for folder in self._folders:
            path = (folder / name).resolve()
            if path.is_relative_to(folder.resolve()) and path.is_file():
                return path
        return None

    def read(self, name: str) -> TemplateText:
        """The file with its include lines and theme tokens put in; raises `TemplateError` naming every gap."""
        problems: list[Problem] = []
        lines = list(islice(self._lines(name, problems, count()), _MOST_LINES + 1))
        if len(lines) > _MOST_LINES:
            problems.append(Problem(name, 1, 1, f"with its includes it has over {_MOST_LINES:,} lines"))
        whole = "\n".join(text for text, _, _ in lines)
        if len(whole) > _MOST_BYTES:
            problems.append(Problem(name, 1, 1, f"with its includes it has over {_MOST_BYTES:,} characters"))
        if problems:
            raise TemplateError(list(dict.fromkeys(problems)))
        return TemplateText(whole, tuple((file, line) for _, file, line in lines))

    def _lines(
        self, name: str, problems: list[Problem], included: Iterator[int], within: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, str, int]]:
        path = self.find(name)
        if path is None:
            folders = ", ".join(str(folder) for folder in self._folders)
            problems.append(Problem(name, 1, 1, f"there is no such template file in {folders}"))
            return
        for number, text in enumerate(_file_lines(path, problems), 1):
            if include := _INCLUDE.fullmatch(text):
                wanted = include[1] or include[2]
                if why := self._why_not_included(wanted, (*within, name)):
                    problems.append(Problem(str(path), number, 1, f"the included file {wanted!r} {why}"))
                elif next(included) == _MOST_INCLUDES:
                    message = f"this template includes over {_MOST_INCLUDES} files"
                    raise TemplateError(list(dict.fromkeys([*problems, Problem(str(path), number, 1, message)])))
                else:
                    yield from self._lines(wanted, problems, included, (*within, name))
            elif (themed := self._themed(text, str(path), number, problems)) is not None:
                yield themed, str(path), number

    def _why_not_included(self, wanted: str, within: tuple[str, ...]) -> str:
        if wanted in within:
            return "includes itself"
        if len(within) > _DEEPEST_INCLUDE:
            return f"is the {_DEEPEST_INCLUDE + 1}th within another"
        return "" if self.find(wanted) else "is in no template folder"

    def _themed(self, text: str, file: str, line: int, problems: list[Problem]) -> str | None:
        """The line with the theme's values in it; None where it would show an empty one, such as no logo."""
        empty = False

        def value(token: re.Match[str]) -> str:
            found: Any = self.theme
            for key in token[1].split("."):
                found = found.get(key) if isinstance(found, Mapping) else None
            if isinstance(found, str | int):
                nonlocal empty
                empty |= found == ""
                return str(found)
            problems.append(Problem(file, line, token.start() + 1, f"theme.toml has no value {token[1]!r}"))
            return ""

        themed = TOKEN.sub(value, text)
        return None if empty else themed


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system says of every file in template folders: where it is the same, nothing was changed.

    `settled` is false while a file is so young that another change might leave the same times (as in git's index).
    """

    files: tuple[tuple[str, int, int, int, int], ...]
    settled: bool

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Stamp:
        """The stamp of these folders at this moment."""
        files = tuple(each for folder in folders for each in _looked_at(str(folder)))
        return cls(files, max((each[4] for each in files), default=0) < time.time_ns() - _YOUNG_NS)


def _looked_at(folder: str) -> Iterator[tuple[str, int, int, int, int]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _looked_at(entry.path)
            else:
                with suppress(OSError):  # gone this moment, or a link to nothing
                    told = entry.stat()
                    yield entry.path, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A file of templates by its relative path: whether the desk has one of its `own`, and whether one is `shipped`."""

    name: str
    own: bool
    shipped: bool


def edited_files(folders: Sequence[Path], but: Sequence[str]) -> set[str]:
    """What people edit in template folders, by relative path, `but` for some folders in them: mails with their samples,
    partials, and the values beside them."""
    found = {path.relative_to(folder) for folder in folders for path in (*folder.glob("*.toml"), *folder.glob("*/*"))}
    return {path.as_posix() for path in found if path.suffix in _EDITED and path.parts[0] not in but}


def shipped_folders() -> tuple[Path, ...]:
    """The templates that come with the product: inside a wheel, or at the top of a checkout."""
    package = Path(__file__).parent.parent
    return tuple(
        folder for folder in (package / "_bundled" / "templates", package.parent / "templates") if folder.is_dir()
    )


def _file_lines(path: Path, problems: list[Problem]) -> list[str]:
    if path.stat().st_size > _MOST_BYTES:
        problems.append(Problem(str(path), 1, 1, f"this is larger than {_MOST_BYTES:,} bytes"))
        return []
    try:
        # read_text turns CR and CRLF into LF: the MJML compiler would carry a CR into the mail.
        return path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        problems.append(Problem(str(path), line, 1, "this line is not UTF-8; save the file as UTF-8"))
        return []
