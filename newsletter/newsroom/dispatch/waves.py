"""Waves: who gets an issue later than others, because its hour is still to come on the reader's own clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from newsletter.model import Issue
from newsletter.newsroom.room import Newsroom
from newsletter.plan import wave_at

__all__ = ["WaveOf", "last_wave", "waves_of"]

WaveOf = Callable[[str | None], datetime | None]
"""The instant that readers of a zone (by its name) wait for; None for those whom nothing keeps waiting."""

_WEST = ZoneInfo("Etc/GMT+12")
"""The last clocks on earth (this zone's name counts the other way round)."""


def waves_of(room: Newsroom, issue: Issue) -> WaveOf:
    """Which wave each reader of the issue belongs to, as it stands now.

    Who said no zone, one that nobody knows, or one whose clocks are ahead of the newsletter's gets it with the
    newsletter's own readers.
    """
    newsletter, now = room.newsletter(issue.id.newsletter), room.clock.now()
    waits = newsletter.local_time and not _urgent(issue)

    @cache
    def wave(zone: str | None) -> datetime | None:
        clocks = _clocks(zone) if zone and waits else None
        if clocks is None:
            return None
        at = wave_at(newsletter, issue.id.date, issue.due_at, clocks)
        return at if at > max(issue.due_at, now) else None

    return wave


def last_wave(room: Newsroom, issue: Issue) -> timedelta:
    """How long after its hour the last wave of an issue can begin; nothing where all get it at once."""
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    if newsletter is None or not newsletter.local_time or _urgent(issue):
        return timedelta(0)
    return wave_at(newsletter, issue.id.date, issue.due_at, _WEST) - issue.due_at


def _urgent(issue: Issue) -> bool:
    """Whether its readers' own hour is no matter: it is breaking news, or tells of a fault."""
    return issue.snapshot is not None and (issue.snapshot.breaking or issue.snapshot.faulty is not None)


def _clocks(zone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # it was never one, or is none any more
        return None
