"""A mail is a folder: body.mjml, body.txt, subject.txt, sample.json. Compiled once, kept by what it was made from."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from newsletter.errors import InputError, Problem, TemplateError
from newsletter.render.dialect import called_words, dialect_problems, html_dialect, text_dialect
from newsletter.render.letters import ReaderLetter, reader_letter
from newsletter.render.mirroring import mirrored
from newsletter.render.own_countries import read_countries
from newsletter.render.part import Part
from newsletter.render.template_files import Shelf, Stamp, TemplateFile, TemplateText, edited_files, shipped_folders
from newsletter.render.theme import unused_values
from newsletter.render.translating import read_catalogues, words_in
from newsletter.render.word_list import Word, unsaid
from newsletter.render.wording import direction

__all__ = ["CompiledTemplate", "Templates", "check_text", "subject_faults"]

_T = TypeVar("_T")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _digest_of_ours() -> str:
    ours = (Path(__file__).with_name(name).read_bytes() for name in ("compiling.py", "dialect.py", "schema.py"))
    return hashlib.sha256(b"".join(ours)).hexdigest()


COMPILERS = ", ".join(
    [*(f"{name} {version(name)}" for name in ("mjml-python", "premailer", "jinja2")), _digest_of_ours()]
)
"""What the compiled HTML depends on: names and versions, and our own part of the work."""

MOST_KEPT = 20
"""Pages that are kept compiled; a template that changes leaves one behind each time."""

_NOT_MAILS = ("words", "desk", "reader")
_NOT_NAMES = ("partials", *_NOT_MAILS)


@dataclass(frozen=True)
class CompiledTemplate:
    """A template ready to render editions; `digest` names its files, theme, words, countries and compilers.

    `page` is the HTML with Jinja still in it.
    """

    name: str
    digest: str
    html: TemplateText
    text: TemplateText
    subject: TemplateText
    page: str
    catalogues: dict[str, tuple[str, ...]]
    countries: dict[str, dict[str, str]]

    def __hash__(self) -> int:
        return hash(self.digest)

    def prints(self, field: str) -> bool:
        """Whether the HTML speaks of that field of a card."""
        return f"card.{field}" in self.html.text

    @property
    def tells_of_clicks(self) -> bool:
        """Whether the HTML can say that clicks are counted."""
        return "issue.clicks" in self.html.text

    def html_in(self, language: str) -> tuple[Part, Mapping[str, Any]]:
        """The HTML part and the words for an edition in that language."""
        part = self._from_right if direction(language) == "rtl" else self._from_left
        return part, words_in(language, self.catalogues).html

    def text_in(self, language: str) -> tuple[Part, Mapping[str, Any]]:
        """The text part and its words."""
        return self._text, words_in(language, self.catalogues).text

    def subject_in(self, language: str, scheduled: str | None) -> tuple[Part, Mapping[str, Any]]:
        """The subject line, `scheduled` or else the mail's own, and its words."""
        part = self._subject if scheduled is None else _scheduled_part(scheduled)
        return part, words_in(language, self.catalogues).text

    @cached_property
    def _from_left(self) -> Part:
        return Part(self.html, self.page, html_dialect())

    @cached_property
    def _from_right(self) -> Part:
        return Part(self.html, mirrored(self.page), html_dialect())

    @cached_property
    def _text(self) -> Part:
        return Part(self.text, self.text.text, text_dialect())

    @cached_property
    def _subject(self) -> Part:
        return Part(self.subject, self.subject.text, text_dialect())


@lru_cache(16)
def _scheduled_part(subject: str) -> Part:
    return Part(_scheduled(subject), subject, text_dialect())


@dataclass(slots=True)
class Templates:
    """The mail templates of a desk: `folders` (the desk's own) before the shipped ones.

    What was compiled is kept in the folder `cache` for other processes; that folder may be thrown away at any time.
    Safe to share between threads: two that ask for a changed template at once both compile it, to the same end.
    """

    folders: Sequence[Path] = ()
    cache: Path | None = None
    _kept: dict[str, CompiledTemplate] = field(default_factory=dict, init=False)
    _seen: dict[str, Stamp] = field(default_factory=dict, init=False)
    _spoken: tuple[Stamp, dict[str, tuple[str, ...]]] | None = field(default=None, init=False)

    @property
    def everywhere(self) -> list[Path]:
        """Its folders and the shipped ones, in the order in which a file is looked for."""
        return [*self.folders, *shipped_folders()]

    def names(self) -> list[str]:
        """Every template there is, in order of the alphabet."""
        return sorted({path.parent.name for folder in self.everywhere for path in folder.glob("*/body.mjml")})

    def files(self) -> list[TemplateFile]:
        """Every file that mails are made from, words aside: mail by mail, then what they share."""
        owned, shipped = edited_files(self.folders, _NOT_MAILS), edited_files(shipped_folders(), _NOT_MAILS)
        names = sorted(owned | shipped, key=lambda name: (name.partition("/")[0] not in self.names(), name))
        return [TemplateFile(name, name in owned, name in shipped) for name in names]

    def find(self, name: str) -> Path | None:
        """Where the file of that relative path lies, the desk's own before a shipped one."""
        return Shelf(self.everywhere).find(name)

    def folder(self, name: str) -> Path:
        """Where the template of that name lies, the desk's own before a shipped one; raises `TemplateError`."""
        for folder in self.everywhere:
            if (folder / name / "body.mjml").is_file():
                return folder / name
        raise TemplateError([Problem(name, 1, 1, f"there is no such template; there are {', '.join(self.names())}")])

    def theme(self) -> Mapping[str, Any]:
        """The colours, typefaces and other values of theme.toml, the desk's before the shipped ones."""
        return Shelf(self.everywhere).theme

    def unused_values(self) -> list[str]:
        """A sentence about each value of theme.toml that no template asks for."""
        files = [path for folder in self.everywhere for kind in ("mjml", "txt") for path in folder.glob(f"*/*.{kind}")]
        return list(unused_values(self.theme(), [path.read_text(encoding="utf-8", errors="replace") for path in files]))

    def words(self, language: str) -> Mapping[str, Callable[..., str]]:
        """`_` and `ngettext` of the mails in that language, escaped: for pages that speak to the same readers."""
        return words_in(language, self._catalogues()).html

    def letter(self, facts: Mapping[str, Any], language: str) -> ReaderLetter:
        """The letter to a reader who asked for something; see `newsletter.render.letters.reader_letter`."""
        return reader_letter(facts, language, self._catalogues())

    def languages(self) -> list[str]:
        """English, and every language that has a catalogue of words."""
        return ["en", *sorted(self._catalogues())]

    def _catalogues(self) -> Mapping[str, tuple[str, ...]]:
        """As they lie there; read again only where a file changed, for every page of a reader asks twice."""
        stamp = Stamp.of([folder / "words" for folder in self.everywhere])
        known = self._spoken  # one name for both: another thread may replace it
        if known is None or known[0] != stamp or not stamp.settled:
            known = self._spoken = stamp, read_catalogues(self.everywhere)
        return known[1]

    def unsaid(self, language: str) -> list[Word]:
        """The words of every mail, and of the pages that speak to readers, that stay English in that language."""
        words: list[Word] = []
        for name in self.names():
            html, *plain = self._texts(name)
            words += called_words(html, html_dialect())
            words += (word for text in plain for word in called_words(text, text_dialect()))
        return unsaid(language, words, read_catalogues(self.everywhere))

    def countries(self) -> dict[str, dict[str, str]]:
        """What the desk calls countries, and which flags it shows; raises `TemplateError`."""
        return read_countries(self.folders)

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
        stamp = Stamp.of(self.everywhere)
        if stamp.settled and self._seen.get(name) == stamp:
            return self._kept[name]
        html, text, subject = self._texts(name)
        catalogues = read_catalogues(self.everywhere)
        words = (f"{language} {text}" for language, texts in catalogues.items() for text in texts)
        countries = self.countries()
        digest = _digest(html.text, text.text, subject.text, COMPILERS, repr(countries), *words)
        kept = self._kept.get(name)
        if kept is None or kept.digest != digest:
            page = self._page(digest, html, text, subject)
            kept = CompiledTemplate(name, digest, html, text, subject, page, catalogues, countries)
            self._kept[name] = kept
        self._seen[name] = stamp
        return kept

    def _page(self, digest: str, *texts: TemplateText) -> str:
        from newsletter.render import confined

        path = self.cache / f"{digest}.html" if self.cache else None
        if path is not None and path.is_file():
            return path.read_text(encoding="utf-8")
        page = confined.compile_page(*texts)
        if path is not None:
            with suppress(OSError):  # a desk that cannot be written to compiles anew
                _keep(path, page)
        return page

    def _texts(self, name: str) -> list[TemplateText]:
        shelf = Shelf(self.everywhere)
        return _all_of([partial(shelf.read, f"{name}/{file}") for file in ("body.mjml", "body.txt", "subject.txt")])


def _keep(path: Path, page: str) -> None:
    """Write the page whole or not at all, and let go of the oldest of many."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)
    newest = sorted(path.parent.glob("*.html"), key=lambda kept: kept.stat().st_mtime, reverse=True)
    for old in newest[MOST_KEPT:]:
        old.unlink(missing_ok=True)


def subject_faults(template: str) -> list[str]:
    """What is wrong with a template for subject lines that stands in schedule.yaml."""
    return [problem.message for problem in check_text(_scheduled(template))] if template else []


def _scheduled(subject: str) -> TemplateText:
    return TemplateText(subject, (("schedule.yaml, subject", 1),))


def check_text(written: TemplateText) -> list[Problem]:
    """The faults of a text part or subject."""
    return dialect_problems(written, text_dialect())


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
        raise TemplateError(list(dict.fromkeys(problems)))
    return made


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
