"""A copy of a desk on which days are rehearsed: nothing leaves it, and the desk never hears of what happens there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from newsletter import render
from newsletter.clock import Clock
from newsletter.model import Story
from newsletter.newsroom.desks import upgrade
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Plan
from newsletter.settings import Settings
from newsletter.storage import Stories
from newsletter.storage.rehearsed import TABLES, copy_rows, forget_issues_from, span_of_stories
from subscribers.tables import metadata as subscribers_metadata

__all__ = ["RehearsalRoom", "copied"]

_SECRET = "0" * 43
"""Signs the links of messages that nobody gets, on a desk that has no key of its own."""


@contextmanager
def copied(room: Newsroom, newsletters: Collection[str], first: date) -> Iterator[RehearsalRoom]:
    """A copy of the desk in a temporary folder, with the named newsletters alone and without the issues dated `first`
    or later; gone at the end. Raises `NotFoundError`, `PlanError`, `StorageError`."""
    plan = _quiet(room.plan, [room.newsletter(name).name for name in newsletters])
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        desk = Path(folder)
        database = desk / "newsletter.db"
        if room.database.is_sqlite:
            room.database.backup(database)
        if (room.desk / "templates").is_dir():
            shutil.copytree(room.desk / "templates", desk / "templates")
        with RehearsalRoom(_harmless(room.settings, desk, database), plan) as copy:
            if not room.database.is_sqlite:
                upgrade(copy)
                copy_rows(room.database, copy.database, [*TABLES, *subscribers_metadata.sorted_tables])
            forget_issues_from(copy.database, first)
            yield copy


class RehearsalRoom(Newsroom):
    """The copy, opened: its schedule stands still, its clock shows what it is told to, and it knows no story before
    the desk did."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        super().__init__(settings)
        self._settled_plan = plan

    @property
    def plan(self) -> Plan:
        """The desk's schedule as it was when the copy was made."""
        return self._settled_plan

    @cached_property
    def templates(self) -> render.Templates:
        """The desk's own templates, as they were when the copy was made."""
        return _StandingTemplates([self.desk / "templates"], self.desk / ".compiled")

    @cached_property
    def stories(self) -> Stories:
        """Every story of the desk; in the window of an issue only what was there at that moment."""
        return _KnownStories(self)

    @cached_property
    def span_of_stories(self) -> tuple[datetime, datetime] | None:
        """When the first and the last story of the desk became available; None where it has none."""
        return span_of_stories(self.database)

    def set_clock(self, moment: datetime) -> None:
        """Let it be `moment`, and stay so."""
        self.clock = Clock(moment, anchor=0, unix=lambda: 0)


class _StandingTemplates(render.Templates):
    def __init__(self, folders: Sequence[Path], cache: Path) -> None:
        super().__init__(folders, cache)
        self._read: dict[str, render.CompiledTemplate] = {}

    def compile(self, name: str) -> render.CompiledTemplate:
        """As `Templates.compile`; nobody edits a copy, so a template is read once."""
        if name not in self._read:
            self._read[name] = super().compile(name)
        return self._read[name]


class _KnownStories(Stories):
    def __init__(self, room: RehearsalRoom) -> None:
        super().__init__(room.database)
        self._room = room

    def window(self, *, available_until: datetime, **bounds: Any) -> Sequence[Story]:
        """As `Stories.window`; of what becomes available between now and `available_until`, only what was here and
        waited for its embargo, or the date it bears, to come."""
        now = self._room.clock.now()
        found = super().window(available_until=available_until, **bounds)
        if available_until <= now:
            return found
        known = {story.id for story in super().window(available_until=now, **bounds)}
        return [story for story in found if story.id in known or _waited(story, now)]


def _waited(story: Story, now: datetime) -> bool:
    here = story.gathered_at is not None and story.gathered_at <= now
    return here and max(story.embargo or now, story.published_at) > now


def _quiet(plan: Plan, newsletters: Sequence[str]) -> Plan:
    """The schedule without whatever would tell anybody of a rehearsal."""
    chosen = {name: plan.newsletters[name] for name in newsletters}
    silent = {name: replace(each, editors=(), approvers=(), dead_man_url=None) for name, each in chosen.items()}
    return replace(plan, newsletters=silent)


def _harmless(settings: Settings, desk: Path, database: Path) -> Settings:
    return replace(
        settings,
        desk=desk,
        rehearsal=True,
        database_url=f"sqlite:///{database}",
        smtp_url=None,
        smtp_password=None,
        live=False,
        secret_key=settings.secret_key or (_SECRET,),
        summary_url=None,
        alert_url=None,
        dkim_domain=None,
        dkim_selector=(),
        dkim_key=None,
        now=None,
        speed=1.0,
    )
