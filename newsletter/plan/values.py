"""schedule.yaml as frozen values, defaults already merged in. Durations are timedeltas, times wall clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from newsletter.countries import is_country
from newsletter.model import Sender, Sponsor

__all__ = [
    "Approval",
    "ApprovalMode",
    "Calendar",
    "CatchUp",
    "Newsletter",
    "OnFew",
    "OnTimeout",
    "Plan",
    "PlanFiles",
    "SourcePlan",
    "StoriesRule",
]


class ApprovalMode(StrEnum):
    """`manual`: an editor approves. `auto`: approved when built, if no check blocks."""

    MANUAL = "manual"
    AUTO = "auto"


class OnTimeout(StrEnum):
    """What happens to an unapproved issue when its approval deadline has passed."""

    WAIT = "wait"
    SEND = "send"
    SKIP = "skip"


class OnFew(StrEnum):
    """What happens to an issue with fewer than `min` stories."""

    WAIT = "wait"
    SHORT = "short"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who lets an issue out, and by when (local wall clock)."""

    mode: ApprovalMode = ApprovalMode.MANUAL
    by: time | None = None
    on_timeout: OnTimeout = OnTimeout.WAIT
    approvals: int = 1
    other_than_editor: bool = False


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How late an issue may still run; later it is recorded as missed."""

    within: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoriesRule:
    """Which stories an issue takes.

    `since` is always the window of the last issue; `at_most` bounds the age by `published_at`; `lead` says how
    long before `at` the draft is built. A digest tells the best of what the newsletters `best_of` carried and of what
    came in.
    """

    since: str = "last_issue"
    at_most: timedelta = timedelta(days=7)
    min: int = 1
    on_few: OnFew = OnFew.WAIT
    max: int = 12
    per_country: int = 4
    lead: timedelta = timedelta(minutes=90)
    best_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """One source of schedule.yaml. `url` for what is fetched, `path` (relative to the desk) for a folder."""

    id: str
    kind: str
    url: str | None = None
    path: str | None = None
    key: str | None = None
    webhook_key: str | None = None
    outlet: str | None = None
    country: str | None = None
    section: str | None = None
    language: str | None = None
    priority: int = 0
    every: timedelta = timedelta(minutes=15)
    timeout: timedelta = timedelta(seconds=30)
    allow_private: bool = False
    rights: str | None = None
    rights_confirmed_by: str | None = None
    quote_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days on which newsletters that skip this calendar do not appear."""

    id: str
    dates: frozenset[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter:
    """A standing title of the desk with everything schedule.yaml (and its defaults) says about it.

    `days` holds ISO weekdays, 1 for Monday. `skip` maps each skipped date to its name (a calendar's id, or the
    date itself), for notes such as "skipped: sg-holidays".
    """

    name: str
    title: str
    at: time
    timezone: ZoneInfo
    days: frozenset[int]
    sender: Sender
    postal_address: str
    countries: tuple[str, ...]
    skip: Mapping[date, str] = field(default_factory=dict)
    template: str = "daily"
    sponsor: Sponsor | None = None
    approval: Approval = Approval()
    lock: time | None = None
    catch_up: CatchUp = CatchUp()
    deliver_by: time | None = None
    stories: StoriesRule = StoriesRule()
    sections: tuple[str, ...] = ()
    not_again_from: tuple[str, ...] = ()
    related: int = 3
    segment: Mapping[str, object] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    subject: str | None = None
    editors: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    local_time: bool = False
    spread: timedelta = timedelta(0)
    quiet_hours: tuple[time, time] | None = None
    breaking_per_day: int = 3
    priority: int = 5
    archive: str = "public"
    welcome: bool = True
    clicks: bool = False
    dead_man_url: str | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """The text of a schedule.yaml, and of the calendar files it names."""

    schedule: str
    calendars: Mapping[str, str] = field(default_factory=dict)

    @property
    def document(self) -> str:
        """All of it as one JSON document, the same for the same files."""
        files = {"schedule": self.schedule, "calendars": dict(self.calendars)}
        return json.dumps(files, ensure_ascii=False, sort_keys=True)

    @classmethod
    def parse(cls, document: str) -> PlanFiles:
        """The files of such a document."""
        return cls(**json.loads(document))

    @property
    def digest(self) -> str:
        """What this revision of the schedule is called: the SHA-256 of the document."""
        return hashlib.sha256(self.document.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of a valid schedule.yaml; `warnings` are sentences for its editor. Mappings keep the file's order.

    `digest` names the revision (see `PlanFiles`); `files` are what it was read from.
    """

    newsletters: Mapping[str, Newsletter]
    sources: Mapping[str, SourcePlan]
    calendars: Mapping[str, Calendar]
    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: PlanFiles | None = field(default=None, compare=False, repr=False)
    digest: str = field(default="", compare=False)

    @property
    def places(self) -> tuple[str, ...]:
        """What stories may be filed under beside countries: the regions, and others that a newsletter carries."""
        named = [place for each in self.newsletters.values() for place in each.countries if not is_country(place)]
        return tuple(dict.fromkeys([*self.regions, *named]))
