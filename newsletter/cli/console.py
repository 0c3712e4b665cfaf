"""How commands open the desk, and how they speak: tables for people, one JSON document for programs."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from newsletter.model import IssueId
    from newsletter.newsroom import Newsroom

__all__ = [
    "DeskCommand",
    "as_json",
    "by",
    "desk_folder",
    "issue_argument",
    "open_room",
    "opened",
    "print_json",
    "print_table",
    "progress_bar",
    "record",
    "whisper",
    "who",
]


class DeskCommand(click.Command):
    """A command that also takes `--desk` after its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(_desk_option())


class DeskGroup(click.Group):
    """A group of `DeskCommand`s."""

    command_class = DeskCommand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(_desk_option())


def _issue_id(_context: click.Context, _parameter: click.Parameter, text: str) -> IssueId:
    from newsletter.model import IssueId

    return IssueId.parse(text)


issue_argument = click.argument("issue_id", metavar="ISSUE", callback=_issue_id)
by = click.option("--by", metavar="NAME", help="Who says so; your login name by default.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


def who(by: str | None) -> str:
    """The name given, or the login name."""
    return by or getpass.getuser()


def record(room: Newsroom, kind: str, by: str | None, *, what: str = "", remark: str = "") -> None:
    """Add a line to the audit log: who did what, to what; no reader's address, and nothing that somebody typed."""
    from newsletter.storage import AuditLine

    room.audit.write(AuditLine(at=room.clock.now(), kind=kind, who=who(by), what=what, remark=remark))


def desk_folder() -> Path:
    """The folder of the desk that the command line names."""
    return Path(str(click.get_current_context().find_root().obj))


@contextmanager
def open_room(flags: Mapping[str, str] | None = None) -> Iterator[Newsroom]:
    """The desk, opened for the length of a command."""
    from newsletter.newsroom import Newsroom

    with Newsroom.open(desk_folder(), flags) as room:
        yield room


def print_json(document: object) -> None:
    """One JSON document on standard output."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Columns padded to their widest cell; the sentence `empty` where there is no row."""
    if not rows:
        click.echo(empty)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(_width(row[n]) for row in [list(head), *cells]) for n in range(len(head))]
    click.secho(_line(head, widths), bold=True)
    for row in cells:
        click.echo(_line(row, widths))


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for work that may take long, where a person watches; called with done and total."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=0, label=what, file=sys.stderr, show_pos=True) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield show


@contextmanager
def opened(out: Path | None) -> Iterator[IO[bytes]]:
    """Where a document goes: the file that `--out` names, or standard output; raises `InputError` with the file."""
    from newsletter.errors import InputError

    if out is None:
        yield sys.stdout.buffer
        return
    try:
        with out.open("wb") as file:
            yield file
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from None


def whisper(text: str) -> None:
    """A remark for people, on standard error."""
    click.echo(text, err=True)


def _desk_option() -> click.Option:
    words = "The desk to work on."
    return click.Option(["--desk"], metavar="DIR", expose_value=False, callback=_choose_desk, help=words)


def _choose_desk(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.find_root().obj = value


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _width(text: str) -> int:
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)).rstrip()
