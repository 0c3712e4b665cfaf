"""A drop folder: whoever may write files there hands stories in.

Files are read at `fetch` and moved at `settle`, after their stories are stored. A crash in between only makes
the next poll read them again, which stores nothing new. Writers should write `NAME.part` and rename it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from newsletter.errors import ConfigurationError, InputError, SourceError
from newsletter.gather.files import STORY_FILES, read_stories
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

__all__ = ["FolderSource"]

# Bytes of a name before its ending: with a number and `.reason.txt` behind it it fits into the 255 of a file system.
_LONGEST_STEM = 200
_MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Taken:
    """One file that was read: its mark (inode, size, change time), its stories and what was refused of it.

    Without a mark it could not be read and stays where it lies.
    """

    path: Path
    mark: tuple[int, int, int] | None
    stories: Sequence[Story] = ()
    refused: Sequence[Refusal] = ()

    @property
    def wholly_refused(self) -> bool:
        return bool(self.refused) and not self.stories


class FolderSource:
    """Story files of one folder (`path`, relative to the desk), oldest first."""

    def __init__(self, plan: SourcePlan, desk: Path, key: str | None = None) -> None:
        if not plan.path:
            raise ConfigurationError(f"source {plan.id}: path is missing; name the folder, for example inbox/")
        self.id = plan.id
        self._plan = plan
        self._folder = desk / plan.path

    def fetch(self, state: SourceState, now: datetime) -> Fetched:
        """Read every story file that lies there; an empty folder is `unchanged`."""
        try:
            files = self._files()
        except OSError as error:
            raise SourceError(
                f"source {self.id}: {error.filename or self._folder}: {error.strerror};"
                " make the folder, or let this program read it"
            ) from error
        taken = [self._take(path, now) for path in files]
        polled = replace(state, polled_at=now, failures=0, last_error=None)
        return Fetched(
            state=polled,
            stories=[story for file in taken for story in file.stories],
            refused=[
                Refusal(f"{file.path.name}: {refusal.where}", refusal.reason)
                for file in taken
                for refusal in file.refused
            ],
            unchanged=not taken,
            settle=partial(_settle, self.id, self._folder, taken),
        )

    def _files(self) -> list[Path]:
        """Plain files with the ending of a story file; no links, folders, pipes, hidden or unfinished files."""
        with os.scandir(self._folder) as entries:
            found = [
                (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                for entry in entries
                if entry.is_file(follow_symlinks=False)
                and not entry.name.startswith(".")
                and Path(entry.name).suffix.lower() in STORY_FILES
            ]
        return [self._folder / name for _, name in sorted(found)]

    def _take(self, path: Path, now: datetime) -> _Taken:
        try:
            mark, data = _read(path)
        except OSError as error:
            reason = f"it cannot be read ({error.strerror}) and stays where it lies; give this program access"
            return _Taken(path, None, refused=[Refusal("the whole file", reason)])
        if len(data) > _MAX_BYTES:
            reason = f"it is larger than {_MAX_BYTES // 2**20} MiB; split it"
            return _Taken(path, mark, refused=[Refusal("the whole file", reason)])
        try:
            stories, refused = read_stories(data, path.name, self._plan, now)
        except InputError as error:
            return _Taken(path, mark, refused=[Refusal("the whole file", str(error))])
        return _Taken(path, mark, stories, refused)


def _read(path: Path) -> tuple[tuple[int, int, int], bytes]:
    """Mark and bytes of a plain file, one byte more than the limit at most; a link or pipe is an `OSError`."""
    # The name may have become a link or a pipe since it was listed.
    with open(path, "rb", opener=_open_plain) as file:
        return _mark(os.fstat(file.fileno())), file.read(_MAX_BYTES + 1)


def _open_plain(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _settle(source: str, folder: Path, taken: Sequence[_Taken]) -> None:
    """Move what was read; one file that cannot be moved does not keep the others."""
    faults = [fault for file in taken if (fault := _attempt(partial(_put_away, folder, file)))]
    if faults:
        raise SourceError(
            f"source {source}: {faults[0]}; {len(faults)} of {len(taken)} files stay in {folder} and are read again"
        )


def _attempt(action: Callable[[], None]) -> str | None:
    try:
        action()
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return None


def _put_away(folder: Path, file: _Taken) -> None:
    try:
        if _mark(file.path.lstat()) != file.mark:
            return  # unreadable, or written anew since it was read: the next poll reads it
    except FileNotFoundError:
        return  # another process put it away
    shelf = folder / ("rejected" if file.wholly_refused else "done")
    shelf.mkdir(exist_ok=True)
    place = _free_place(shelf, file.path.name)
    if file.refused:
        reasons = "".join(f"{refusal}\n" for refusal in file.refused)
        place.with_name(f"{place.name}.reason.txt").write_text(reasons, encoding="utf-8")
    file.path.replace(place)


def _free_place(shelf: Path, name: str) -> Path:
    """An empty file of that name, or `stem-2.ext` and so on, made by this call: nothing there is overwritten."""
    stem, ending = Path(name).stem, Path(name).suffix
    while len(os.fsencode(stem)) > _LONGEST_STEM:
        stem = stem[:-1]
    number = 1
    while True:
        place = shelf / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
        try:
            place.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return place


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
