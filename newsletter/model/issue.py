"""An issue: its id and states, what it says, and the editions made of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import InputError
from newsletter.model.story import Story

__all__ = [
    "BEGUN",
    "EDITABLE",
    "SEALED",
    "Correction",
    "CountrySection",
    "Edition",
    "Faulty",
    "Finding",
    "Issue",
    "IssueId",
    "IssueState",
    "PlacedStory",
    "Related",
    "RenderedEdition",
    "Sender",
    "Severity",
    "Snapshot",
    "Sponsor",
]


@dataclass(frozen=True, slots=True, order=True)
class IssueId:
    """`NEWSLETTER/YYYY-MM-DD`, with `/N` for the second and later issues of one day."""

    newsletter: str
    date: dt.date
    number: int = 1

    _FORM = re.compile(r"(?P<newsletter>[a-z0-9][a-z0-9-]*)/(?P<date>\d{4}-\d\d-\d\d)(?:/(?P<number>[1-9]\d*))?")

    @classmethod
    def parse(cls, text: str) -> IssueId:
        """Read an issue id as people type it; raises `InputError` with an example when it is none."""
        if match := cls._FORM.fullmatch(text.strip()):
            try:
                return cls(match["newsletter"], dt.date.fromisoformat(match["date"]), int(match["number"] or 1))
            except ValueError:
                pass
        raise InputError(f"{text!r} is not an issue id; one looks like asia-ai-daily/2026-05-27")

    @property
    def day(self) -> str:
        """`2026-05-27`, or `2026-05-27-2` for the second of a day: what its files and pages are called."""
        return f"{self.date}" + (f"-{self.number}" if self.number > 1 else "")

    def __str__(self) -> str:
        return f"{self.newsletter}/{self.date}" + (f"/{self.number}" if self.number > 1 else "")


class IssueState(StrEnum):
    """Where an issue stands in the desk's day."""

    PLANNED = "planned"
    BUILDING = "building"
    REVIEW = "review"
    WAITING = "waiting"
    APPROVED = "approved"
    SENDING = "sending"
    STOPPED = "stopped"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    MISSED = "missed"
    CANCELLED = "cancelled"
    FAILED = "failed"


MAKING = frozenset({IssueState.PLANNED, IssueState.BUILDING})
"""States of an issue that has no draft yet."""

DRAFTED = frozenset({IssueState.REVIEW, IssueState.WAITING})
"""States of an issue whose draft nobody has approved."""

UNSENT = DRAFTED | {IssueState.APPROVED}
"""States of an issue that has a draft, of which nothing leaves yet."""

OPEN = MAKING | UNSENT
"""States of an issue that may still be sent by itself."""

UNDERWAY = frozenset({IssueState.SENDING, IssueState.STOPPED})
"""States of an issue whose audience is frozen, and which is not settled."""

SEALED = UNDERWAY | {IssueState.APPROVED, IssueState.SUBMITTED}
"""States in which an issue has bytes that somebody approved: what it carries is not carried again."""

BEGUN = UNDERWAY | {IssueState.SUBMITTED}
"""States after the freeze of the audience."""

EDITABLE = frozenset(IssueState) - BEGUN - {IssueState.CANCELLED}
"""States in which a new draft may be stored."""


@dataclass(frozen=True, slots=True)
class Related:
    """A story offered under another one, frozen as it stood; `reasons` are the shared words, for editors."""

    id: str
    title: str
    url: str
    outlet: str
    country: str | None
    section: str
    published_at: dt.datetime
    score: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedStory:
    """A story in its place in an issue, with its related reading."""

    story: Story
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class CountrySection:
    """The stories of one country (or region), in reading order."""

    country: str
    stories: tuple[PlacedStory, ...]


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom the mail comes from."""

    name: str
    address: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Sponsor:
    """Who pays for an issue, in words of their own, and where these lead."""

    name: str
    text: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What an issue says of a fault in an earlier one of that local date, in the story of that headline.

    `number` is the correction's own.
    """

    number: int
    date: dt.date
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Faulty:
    """What a correction mail corrects: the `issue` (its id), as those got it who got a revision below `below`."""

    issue: str
    below: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What an issue says, frozen: later edits of a story do not change it.

    `lead` is the id of the story that opens the subject line. `subject` and `preheader` are an editor's words; where
    they are None each edition makes its own from its lead stories, the subject by `subject_template` or else by its
    mail's. `word` is what an editor says before the stories.
    Where the archive is public (`in_archive`), related reading leads to the stories' own pages there. `clicks` says
    that its mails' links to stories are counted.
    `segment` is the rule of its audience, None for the one that schedule.yaml has; a mail that corrects a `faulty`
    issue goes to those who got that. `corrections` are told before the stories; `recap`, what its readers were sent as
    breaking news, behind them. `breaking` goes ahead of all others.

    `arranged` says that an editor chose the stories and their order, `lead_chosen` that one chose the lead: a build
    keeps both. `dropped` are the ids of stories that an editor took out.
    """

    newsletter: str
    date: dt.date
    title: str
    template: str
    sender: Sender
    postal_address: str
    timezone: str
    languages: tuple[str, ...]
    sections: tuple[CountrySection, ...]
    lead: str
    subject_template: str | None = None
    subject: str | None = None
    preheader: str | None = None
    word: tuple[str, ...] = ()
    sponsor: Sponsor | None = None
    in_archive: bool = False
    clicks: bool = False
    segment: Mapping[str, object] | None = None
    breaking: bool = False
    recap: tuple[PlacedStory, ...] = ()
    corrections: tuple[Correction, ...] = ()
    faulty: Faulty | None = None
    arranged: bool = False
    lead_chosen: bool = False
    dropped: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """By little of what it says, for equality looks at all of it: two of one issue are rarely kept side by side."""
        return hash((self.newsletter, self.date, self.lead))

    @property
    def placed(self) -> tuple[PlacedStory, ...]:
        """Every story of the issue in reading order."""
        return tuple(placed for section in self.sections for placed in section.stories)

    def sections_of(self, edition: Edition) -> tuple[CountrySection, ...]:
        """The sections with stories that the edition holds, in the issue's order."""
        return tuple(section for section in self.sections if section.stories and section.country in edition.countries)

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries that have stories, in the issue's order."""
        return tuple(section.country for section in self.sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One dated number of a newsletter.

    `window_end` closes the window of stories the issue was composed from; the next issue's window opens there.
    `revision` counts drafts; `approved_revision` is the one whose bytes an approval sealed. `first_approved_by`
    is set while one of two approvals is there. `edited_by` is the person who last changed what it says. An approved
    issue leaves at `due_at`, or where that had passed at the approval at `not_before`. One that has `frozen_at` and is
    not being sent was stopped half-way to be corrected.
    """

    id: IssueId
    state: IssueState
    reason: str = ""
    due_at: dt.datetime
    revision: int = 0
    snapshot: Snapshot | None = None
    window_end: dt.datetime | None = None
    first_approved_by: str | None = None
    approved_revision: int | None = None
    approved_by: str | None = None
    approved_at: dt.datetime | None = None
    frozen_at: dt.datetime | None = None
    settled_at: dt.datetime | None = None
    edited_by: str | None = None
    not_before: dt.datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class Edition:
    """The version of an issue for all readers who get the same content."""

    countries: tuple[str, ...]
    language: str

    @property
    def key(self) -> str:
        """`CN+JP.en`: names the edition within its issue, in tables and file names."""
        return f"{'+'.join(self.countries)}.{self.language}"

    @classmethod
    def parse(cls, key: str) -> Edition:
        """The edition that a key names."""
        countries, _, language = key.rpartition(".")
        return cls(tuple(countries.split("+")), language)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedEdition:
    """An edition as it will be mailed, but for the slots.

    `html` and `text` hold slots as `newsletter.ports.slot(name)` writes them, so all of it is the same for every
    reader. `links` are the stories (by id) whose addresses are counted where it is mailed, `grows` the bytes that the
    HTML may grow by then.
    """

    edition: Edition
    subject: str
    preheader: str
    html: str
    text: str
    stories: int
    minutes: int
    links: tuple[tuple[str, str], ...] = ()
    grows: int = 0

    @property
    def size(self) -> int:
        """Bytes of the HTML as it is mailed, but for the slots."""
        return len(self.html.encode()) + self.grows

    @property
    def sha256(self) -> str:
        """What an approval seals: the hash of subject, preheader, html and text with the slots in place, and of where
        each counted link leads."""
        led = [part for link in self.links for part in link]
        sealed = "\0".join((self.subject, self.preheader, self.html, self.text, *led))
        return hashlib.sha256(sealed.encode()).hexdigest()


class Severity(StrEnum):
    """What a finding does to an approval."""

    BLOCKING = "blocking"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the preflight: how bad, which check, where, what, and what would mend it."""

    severity: Severity
    check: str
    place: str
    message: str
    fix: str = ""
