"""Which schedule is in force: the one that was applied for all hosts, else this desk's own schedule.yaml."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from newsletter import render
from newsletter.errors import PlanError, StorageError
from newsletter.plan import Plan, PlanFiles, load_plan, plan_of, read_plan
from newsletter.storage import AppliedPlan, AppliedPlans
from subscribers.errors import SegmentError
from subscribers.segments import parse_segment

__all__ = ["PlanInForce", "segment_faults"]

EVERY = 2.0
"""Seconds between two looks at what was applied."""

_Stamp: TypeAlias = tuple[object, ...]


class PlanInForce:
    """The plan that a desk follows, read again when it changes; usable from threads.

    `store` opens what was applied, `names` tells which templates there are. `fault` says what is wrong with the newest
    revision while an older one stays at work, `applied` what was applied for all hosts, where that is in force.
    """

    def __init__(
        self,
        file: Path,
        store: Callable[[], AppliedPlans],
        names: Callable[[], Collection[str]],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._store = store
        self._names = names
        self._seconds = seconds
        self._look_again = float("-inf")
        self._kept = False
        self._stamp: _Stamp | None = None
        self._plan: Plan | None = None
        self.fault: PlanError | None = None
        self.applied: AppliedPlan | None = None

    def get(self) -> Plan:
        """The plan, or its last good revision beside `fault`; raises `PlanError` when there was none since the desk
        was opened."""
        self._look()
        applied = self.applied
        stamp = ("applied", applied.id) if applied else self._file_stamp()
        if self._plan is not None and stamp == self._stamp:
            return self._plan
        try:
            plan = self.check_files(self._store().files(applied)) if applied else self.read_file()
        except StorageError:
            if self._plan is None:
                raise
            return self._plan
        except PlanError as error:
            if self._plan is None:
                raise
            self.fault, self._stamp = error, stamp
            return self._plan
        self._plan, self.fault = plan, None
        self._stamp = stamp if applied else self._file_stamp()  # the calendars that it names are known by now
        return plan

    def read_file(self) -> Plan:
        """What this desk's own schedule.yaml says at this moment, whatever is in force; raises `PlanError`."""
        return read_plan(self._file, self._names(), segment_faults, render.subject_faults)

    def read_text(self, text: str) -> Plan:
        """What schedule.yaml would say if that were its text; raises `PlanError`."""
        return load_plan(text, self._file.name, self._file.parent, self._names(), segment_faults, render.subject_faults)

    def check_files(self, files: PlanFiles) -> Plan:
        """The plan of files that are not in force; raises `PlanError`."""
        return plan_of(files, self._file.name, self._names(), segment_faults, render.subject_faults)

    def forget(self) -> None:
        """Look at what was applied with the next question, and not in two seconds."""
        self._look_again = float("-inf")

    def _look(self) -> None:
        """Ask what was last applied, at most every two seconds; a database that does not answer changes nothing."""
        if self._seconds() < self._look_again:
            return
        try:
            store = self._store()
            self._kept = self._kept or store.kept()
            latest = store.latest() if self._kept else None
        except StorageError:
            if self._plan is not None:
                self._look_again = self._seconds() + EVERY
            return
        self.applied = latest if latest and latest.digest else None
        self._look_again = self._seconds() + EVERY

    def _file_stamp(self) -> _Stamp:
        """What tells one content of the files from the next without reading them."""
        files = self._plan.files if self._plan else None
        calendars = [self._file.parent / name for name in files.calendars] if files else []
        return tuple(map(_stamp, (self._file, *calendars)))


def segment_faults(segment: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The faults of a newsletter's segment, each with the path inside it."""
    try:
        parse_segment(segment)
    except SegmentError as error:
        for problem in error.problems:
            yield ".".join(map(str, problem.path)), problem.message


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
