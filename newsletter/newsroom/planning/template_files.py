"""The desk's own templates, changed by the application, and checked with their mails before they are kept."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from newsletter import render
from newsletter.errors import ChecksFailedError, NotFoundError, NothingToDoError, Problem, TemplateError
from newsletter.files import replace_file
from newsletter.model import RenderedEdition
from newsletter.newsroom.room import Newsroom
from newsletter.render import TemplateFile, Templates

__all__ = ["ask_back", "check", "listed", "mail_of", "one", "sample", "save", "stamp", "text_of"]


def listed(room: Newsroom) -> list[TemplateFile]:
    """Every file that mails are made from, and whose it is."""
    return room.templates.files()


def one(room: Newsroom, name: str) -> TemplateFile:
    """The file of that relative path; raises `NotFoundError` for one that no mail is made from."""
    for file in listed(room):
        if file.name == name:
            return file
    raise NotFoundError(f"there is no template file {name!r}")


def text_of(room: Newsroom, name: str) -> str:
    """What the file says, lines ended by `\\n`: the desk's own, else the shipped one."""
    path = room.templates.find(one(room, name).name)
    assert path is not None, "it is listed"
    return path.read_text(encoding="utf-8-sig", errors="replace")


def stamp(text: str) -> str:
    """By what a text is known again."""
    return hashlib.sha256(text.encode()).hexdigest()


def mail_of(room: Newsroom, name: str) -> str:
    """The mail to show a file in: its own, or for what several share the desk's usual one."""
    folder = name.partition("/")[0]
    mails = room.templates.names()
    return folder if folder in mails else "daily" if "daily" in mails else mails[0]


def check(room: Newsroom, name: str, text: str, mails: Sequence[str] | None = None) -> list[Problem]:
    """Every fault that the file would have, or bring into `mails`: those it is part of, where none are named."""
    with _as_typed(room, name, text) as templates:
        found = [
            problem
            for mail in mails or _mails_with(room, name)
            for problem in render.check_template(templates.folder(mail), templates)
        ]
        return [_named(problem, templates) for problem in dict.fromkeys(found)]


def sample(room: Newsroom, name: str, text: str | None = None) -> RenderedEdition:
    """The sample issue of the file's mail, as it is or with that text in the file's place; raises `TemplateError`."""
    one(room, name)
    mail, base_url = mail_of(room, name), room.settings.base_url
    if text is None:
        return render.render_sample(mail, room.templates, base_url)[1]
    with _as_typed(room, name, text) as templates:
        try:
            return render.render_sample(mail, templates, base_url)[1]
        except TemplateError as error:
            raise TemplateError([_named(problem, templates) for problem in error.problems]) from None


def save(room: Newsroom, name: str, began: str, text: str) -> None:
    """Keep the text as the desk's own file, all of it or nothing; drafts and proofs show it at once.

    `began` is the `stamp` of what the file said when somebody began to type. Raises `ChecksFailedError` when it says
    something else by now, `TemplateError` for a text with faults, `NothingToDoError` where nothing is different.
    """
    with room.database.hold(f"template {name}") as held:
        present = text_of(room, name)
        if not held or stamp(present) != began:
            raise ChecksFailedError(f"somebody has changed {name} since you opened it")
        if text == present:
            raise NothingToDoError(f"{name} says that already")
        if problems := check(room, name, text):
            raise TemplateError(problems)
        path = _own(room, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())


def ask_back(room: Newsroom, name: str) -> None:
    """Take the shipped file instead of the desk's own, which is thrown away.

    Raises `NothingToDoError` where the desk has none, `ChecksFailedError` where none was shipped.
    """
    file = one(room, name)
    if not file.own:
        raise NothingToDoError(f"{name} is the shipped one")
    if not file.shipped:
        raise ChecksFailedError(f"no {name} comes with the product; it is this desk's alone")
    _own(room, name).unlink()


def _own(room: Newsroom, name: str) -> Path:
    return room.desk / "templates" / name


def _mails_with(room: Newsroom, name: str) -> list[str]:
    mails = room.templates.names()
    folder = name.partition("/")[0]
    return [folder] if folder in mails else mails


@contextmanager
def _as_typed(room: Newsroom, name: str, text: str) -> Iterator[Templates]:
    """The templates with that text in the place of a file. Nothing is compiled for others to find."""
    one(room, name)
    with tempfile.TemporaryDirectory(prefix="template-") as folder:
        typed = Path(folder) / name
        typed.parent.mkdir(parents=True, exist_ok=True)
        typed.write_text(text, encoding="utf-8")
        yield Templates([Path(folder), *room.templates.folders])


def _named(problem: Problem, templates: Templates) -> Problem:
    """The problem with its file by the relative path: no screen tells where things lie on this machine."""
    path = Path(problem.file)
    for folder in templates.everywhere:
        if path.is_relative_to(folder):
            return Problem(
                path.relative_to(folder).as_posix(), problem.line, problem.column, problem.message, problem.path
            )
    return problem
