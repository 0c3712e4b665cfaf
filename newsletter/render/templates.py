"""A mail is a folder: body.mjml, body.txt, subject.txt, sample.json. Compiled once, kept by what it was made from."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import jinja2

from newsletter.errors import InputError, Problem, TemplateError
from newsletter.render.compiling import COMPILERS, compile_html
from newsletter.render.dialect import dialect_problems, html_dialect, text_dialect
from newsletter.render.mirroring import mirrored
from newsletter.render.template_files import Shelf, TemplateText, shipped_folders
from newsletter.render.translating import Catalogues, read_catalogues, words_in
from newsletter.render.wording import direction

__all__ = ["CompiledTemplate", "Part", "Templates"]

_T = TypeVar("_T")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_NOT_NAMES = ("partials", "words")


_RENDER_FAULTS = (
    *(jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError),
    *(MemoryError, RecursionError),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail, compiled; `written` says which line an error comes from."""

    written: TemplateText
    _compiled: jinja2.Template

    def render(self, facts: Mapping[str, Any]) -> str:
        """The part for one edition; raises `TemplateError` where the template asks for what is not there."""
        try:
            return self._compiled.render(facts)
        except _RENDER_FAULTS as error:
            raise TemplateError([self._fault(error)]) from None

    def _fault(self, error: Exception) -> Problem:
        # The line in the compiled part is of no use to its writer: find the missing name in the written.
        missing = re.search(r"has no attribute '(\w+)'", str(error))
        at = self.written.text.find(f".{missing[1]}") if missing else 0
        line = self.written.text.count("\n", 0, max(at, 0)) + 1
        return self.written.problem(line, f"this cannot be rendered: {error}")


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to render editions; `digest` names its files, theme and compilers."""

    name: str
    digest: str
    html: Part
    html_from_right: Part
    text: Part
    subject: Part
    catalogues: Catalogues

    def prints(self, field: str) -> bool:
        """Whether the HTML speaks of that field of a card."""
        return f"card.{field}" in self.html.written.text

    def html_in(self, language: str) -> tuple[Part, Mapping[str, Any]]:
        """The HTML part and the words for an edition in that language."""
        part = self.html_from_right if direction(language) == "rtl" else self.html
        return part, words_in(language, self.catalogues).html

    def text_in(self, language: str) -> tuple[Part, Mapping[str, Any]]:
        """The text part and its words."""
        return self.text, words_in(language, self.catalogues).text


@dataclass(slots=True)
class Templates:
    """The mail templates of a desk: `folders` (the desk's own) before the shipped ones.

    Safe to share between threads: two that ask for a changed template at once both compile it, to the same end.
    """

    folders: Sequence[Path] = ()
    _kept: dict[str, CompiledTemplate] = field(default_factory=dict, init=False)

    def names(self) -> list[str]:
        """Every template there is, in order of the alphabet."""
        folders = [*self.folders, *shipped_folders()]
        return sorted({path.parent.name for folder in folders for path in folder.glob("*/body.mjml")})

    def folder(self, name: str) -> Path:
        """Where the template of that name lies, the desk's own before a shipped one; raises `TemplateError`."""
        for folder in [*self.folders, *shipped_folders()]:
            if (folder / name / "body.mjml").is_file():
                return folder / name
        raise TemplateError([Problem(name, 1, 1, f"there is no such template; there are {', '.join(self.names())}")])

    def start(self, name: str, like: str) -> list[Path]:
        """Make a template of the desk's own with the files of another; raises `InputError` where one has the name."""
        if not _NAME.fullmatch(name) or name in _NOT_NAMES:
            raise InputError(f"{name!r} is no name for a template; write small letters, digits, - and _")
        source, target = self.folder(like), self.folders[0] / name
        if target.exists():
            raise InputError(f"{target} is there already; choose another name")
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        return sorted(target.iterdir())

    def compile(self, name: str) -> CompiledTemplate:
        """The template of that folder, compiled anew when a file changed; raises `TemplateError` with every fault."""
        if not _NAME.fullmatch(name):
            raise TemplateError([Problem(name, 1, 1, "a template's name is small letters, digits, - and _")])
        html, text, subject = self._texts(name)
        catalogues = read_catalogues([*self.folders, *shipped_folders()])
        words = (f"{language} {text}" for language, texts in catalogues.items() for text in texts)
        digest = _digest(html.text, text.text, subject.text, COMPILERS, *words)
        kept = self._kept.get(name)
        if kept is None or kept.digest != digest:
            steps = [partial(_html_parts, html), partial(_text_parts, text), partial(_text_parts, subject)]
            (html_part, from_right), (text_part,), (subject_part,) = _all_of(steps)
            kept = CompiledTemplate(name, digest, html_part, from_right, text_part, subject_part, catalogues)
            self._kept[name] = kept
        return kept

    def _texts(self, name: str) -> list[TemplateText]:
        shelf = Shelf([*self.folders, *shipped_folders()])
        return _all_of([partial(shelf.read, f"{name}/{file}") for file in ("body.mjml", "body.txt", "subject.txt")])


def _html_parts(written: TemplateText) -> list[Part]:
    html = compile_html(written)
    return [Part(written, html_dialect().from_string(page)) for page in (html, mirrored(html))]


def _text_parts(written: TemplateText) -> list[Part]:
    if problems := dialect_problems(written, text_dialect()):
        raise TemplateError(problems)
    return [Part(written, text_dialect().from_string(written.text))]


def _all_of(steps: Sequence[Callable[[], _T]]) -> list[_T]:
    """What every step makes; the faults of all of them at once when one fails."""
    made: list[_T] = []
    problems: list[Problem] = []
    for step in steps:
        try:
            made.append(step())
        except TemplateError as error:
            problems += error.problems
    if problems:
        raise TemplateError(problems)
    return made


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
