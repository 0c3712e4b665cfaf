"""Files of subscribers that admins bring in through the screens: looked at first, then imported, by a thread that
outlives the request which asked for it.

Each lies in a folder of its own below `.imports` of the desk, which nobody but the desk can read, with a note of how
far it is; a lock says whether somebody works on it, and dies with whoever does.
"""

from __future__ import annotations

import csv
import io
import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pydantic import TypeAdapter

from newsletter.errors import ChecksFailedError, NewsletterError, NotFoundError
from newsletter.newsroom.room import Newsroom
from subscribers.errors import FileError, RefusedError
from subscribers.exporting import spreadsheet_safe
from subscribers.importing import ImportReport
from subscribers.model import Fate
from subscribers.signups import Terms

__all__ = ["Brought", "Stage", "begin", "bring", "drop", "find", "folder_of", "kept", "rejects", "sweep", "terms"]

MOST_KEPT = 6
KEPT_FOR = 24 * 3600.0
"""Seconds."""

PATIENCE = 1.0
"""Seconds in which a short file is done, so that whoever asked sees the outcome at once."""

_ID = re.compile(r"[0-9a-f]{16}")
_NOTE, _REJECTS = "note.json", "rejects.csv"
_SEPARATES = re.compile(r"[^\w.-]+")

log = logging.getLogger(__name__)


class Stage(StrEnum):
    """How far a file is. `LOOKING` and `IMPORTING` go on only while somebody works on it."""

    LOOKING = "looking"
    LOOKED = "looked"
    IMPORTING = "importing"
    IMPORTED = "imported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One file, with what whoever brought it says about all of it, and what became of its rows (`counts`, by fate).

    `refusals` are the first hundred: line and reason. `share` is how much of it was read, from 0 to 1. `looked` says
    that the counts of a look at the whole file are there; `trouble` why it could not go on.
    """

    id: str
    name: str
    who: str
    at: datetime
    newsletters: tuple[str, ...] = ()
    consent_source: str = ""
    stage: Stage = Stage.LOOKING
    share: float = 0.0
    looked: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    refusals: tuple[tuple[int, str], ...] = ()
    trouble: str = ""
    at_work: bool = False

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return sum(self.counts.values())

    @property
    def cut_short(self) -> bool:
        """Whether somebody was at it and is no more: the program ended meanwhile."""
        return self.stage in (Stage.LOOKING, Stage.IMPORTING) and not self.at_work


_BROUGHT = TypeAdapter(Brought)


def bring(
    room: Newsroom, data: BinaryIO, name: str, *, newsletters: tuple[str, ...], consent_source: str, who: str
) -> Brought:
    """Keep a file, and begin to look at it: nothing is imported by that. The oldest of those kept makes room.

    Raises `ChecksFailedError` while so many are being worked on.
    """
    for old in kept(room)[MOST_KEPT - 1 :][::-1]:
        if old.at_work:
            raise ChecksFailedError(f"{MOST_KEPT} files are being worked on; wait until one of them is done")
        shutil.rmtree(folder_of(room, old.id), ignore_errors=True)
    brought = Brought(
        id=secrets.token_hex(8),
        name=_file_name(name),
        who=who,
        at=room.clock.now(),
        newsletters=newsletters,
        consent_source=consent_source,
    )
    folder_of(room, "").mkdir(mode=0o700, exist_ok=True)
    folder = folder_of(room, brought.id)
    folder.mkdir(mode=0o700)
    with os.fdopen(os.open(folder / brought.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(data, file, 1 << 20)
    _note(room, brought)
    begin(room, brought.id, Stage.LOOKING)
    return find(room, brought.id)


def begin(room: Newsroom, id_: str, stage: Stage) -> None:
    """Look at a file (once more), or import it: once, however often that is asked for. Short files are waited for."""
    brought = find(room, id_)
    if brought.at_work or brought.stage is Stage.IMPORTED:
        return
    if stage is Stage.IMPORTING and not brought.looked:
        raise ChecksFailedError(f"{brought.name} has not been looked at yet")
    # A daemon: the end of the program does not wait for it, and an import cut short is simply repeated.
    thread = threading.Thread(target=_work, args=(room, id_, stage), name=f"import {id_}", daemon=True)
    thread.start()
    thread.join(PATIENCE)


def find(room: Newsroom, id_: str) -> Brought:
    """The file of that number, as it stands; raises `NotFoundError`."""
    brought = _noted(room, id_)
    with room.database.hold(_lock(id_)) as free:
        return replace(brought, at_work=not free)


def kept(room: Newsroom) -> list[Brought]:
    """Every file that is kept, the latest first."""
    folder = folder_of(room, "")
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            found.append(find(room, path.name))
        except NotFoundError:  # it is being made, or thrown away
            continue
    return sorted(found, key=lambda brought: brought.at, reverse=True)


def rejects(room: Newsroom, id_: str, *, safe: bool) -> Iterator[str]:
    """The rows that could not be taken, with line and reason, as CSV or `spreadsheet_safe`. Raises `NotFoundError`."""
    path = folder_of(room, find(room, id_).id) / _REJECTS
    if not path.exists():
        raise NotFoundError("no row of that file was refused")

    def text() -> Iterator[str]:
        with path.open(encoding="utf-8", newline="") as file:
            if not safe:
                yield from file
                return
            yield "\ufeff"
            for cells in csv.reader(file):
                written = io.StringIO()
                csv.writer(written).writerow(map(spreadsheet_safe, cells))
                yield written.getvalue()

    return text()


def drop(room: Newsroom, id_: str) -> None:
    """Throw a file away; raises `ChecksFailedError` while it is being worked on."""
    if find(room, id_).at_work:
        raise ChecksFailedError("it is being worked on; wait until that is done")
    shutil.rmtree(folder_of(room, id_), ignore_errors=True)


def sweep(room: Newsroom) -> None:
    """Throw away what nobody touched for a day: files of addresses are not left lying about."""
    folder = folder_of(room, "")
    for path in folder.iterdir() if folder.is_dir() else ():
        with room.database.hold(_lock(path.name)) as free, suppress(FileNotFoundError):
            if free and time.time() - path.stat().st_mtime > KEPT_FOR:
                shutil.rmtree(path, ignore_errors=True)


def _work(room: Newsroom, id_: str, stage: Stage) -> None:
    """Hold the file's lock and do it. Who only looks whether it is held has it for a moment: we ask a few times."""
    for _ in range(20):
        with room.database.hold(_lock(id_)) as held:
            if held:
                brought = _noted(room, id_)
                if brought.stage is not Stage.IMPORTED:
                    _note(room, _done(room, replace(brought, stage=stage, trouble="", share=0.0)))
                return
        time.sleep(0.05)


def _done(room: Newsroom, brought: Brought) -> Brought:
    _note(room, brought)
    importing = brought.stage is Stage.IMPORTING
    folder = folder_of(room, brought.id)
    try:
        report = room.subscribers.import_file(
            folder / brought.name,
            terms(room, brought.newsletters, brought.consent_source),
            room.clock.now(),
            dry_run=not importing,
            rejects=folder / _REJECTS,
            progress=_noting(room, brought),
        )
    except (RefusedError, NewsletterError) as error:
        return replace(brought, stage=Stage.FAILED, trouble=_said(error))
    except Exception:  # whatever it is, the screen is to say that it ended
        log.exception("the import %s broke off", brought.id)
        return replace(brought, stage=Stage.FAILED, trouble="Something broke here; it was written to the log.")
    if importing:
        (folder / brought.name).unlink(missing_ok=True)
    return _told(brought, report, Stage.IMPORTED if importing else Stage.LOOKED)


def _told(brought: Brought, report: ImportReport, stage: Stage) -> Brought:
    return replace(
        brought,
        stage=stage,
        share=1.0,
        looked=True,
        counts={str(fate): getattr(report, fate) for fate in Fate},
        refusals=tuple((refused.line, refused.reason) for refused in report.refusals),
    )


def _said(error: Exception) -> str:
    """What is wrong, without the path of the desk."""
    if isinstance(error, FileError):
        return f"Line {error.line}: {error.message}." if error.line else f"The file {error.message}."
    return f"{error}."


def terms(room: Newsroom, newsletters: tuple[str, ...] = (), consent_source: str | None = None) -> Terms:
    """What holds for a whole file: the newsletters of rows that name none, and where their consent comes from."""
    return Terms(
        known=frozenset(room.plan.newsletters),
        regions=frozenset(room.plan.places),
        newsletters=newsletters,
        consent_source=consent_source or None,
    )


def _noting(room: Newsroom, brought: Brought) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        _note(room, replace(brought, share=done / max(total, 1)))

    return progress


def _noted(room: Newsroom, id_: str) -> Brought:
    if not _ID.fullmatch(id_):
        raise NotFoundError(f"no file {id_!r} is kept")
    try:
        return _BROUGHT.validate_json((folder_of(room, id_) / _NOTE).read_bytes())
    except FileNotFoundError:
        raise NotFoundError(f"no file {id_} is kept; after a day they are thrown away") from None


def _note(room: Newsroom, brought: Brought) -> None:
    path = folder_of(room, brought.id) / _NOTE
    draft = path.with_suffix(".part")
    draft.write_bytes(_BROUGHT.dump_json(brought))
    draft.replace(path)


def folder_of(room: Newsroom, id_: str) -> Path:
    """Where a file of that number lies, with its note."""
    return room.desk / ".imports" / id_


def _lock(id_: str) -> str:
    return f"import {id_}"


def _file_name(name: str) -> str:
    """What a browser calls the file, as a name that is one anywhere, and none of ours."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = _SEPARATES.sub("-", last).strip(".-")[:60]
    return f"{plain.removesuffix('.csv') or 'subscribers'}.csv" if plain != _REJECTS else "subscribers.csv"
