"""The nouns of the desk, as frozen values.

Datetimes are aware and UTC. Text is clean (see `newsletter.gather.cleaning`): NFC, no markup, no control
characters. Countries are ISO 3166-1 alpha-2 in capitals, or the name of a region of schedule.yaml in lower case.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from newsletter.errors import InputError

__all__ = [
    "Books",
    "CountryOrigin",
    "CountrySection",
    "DeliveryState",
    "Edition",
    "Finding",
    "Issue",
    "IssueId",
    "IssueState",
    "Kind",
    "Message",
    "NoteOrigin",
    "Outcome",
    "PlacedStory",
    "Precision",
    "Recipient",
    "Refusal",
    "Related",
    "RenderedEdition",
    "Sender",
    "Severity",
    "Snapshot",
    "Story",
    "StoryStatus",
    "SummaryOrigin",
]


class Kind(StrEnum):
    """What sort of text a story is. A press release never says "Original reporting"."""

    REPORT = "report"
    OPINION = "opinion"
    PRESS_RELEASE = "press_release"


class Precision(StrEnum):
    """How exactly `published_at` is known; `FETCHED` means the source gave no date."""

    EXACT = "exact"
    DAY = "day"
    FETCHED = "fetched"


class SummaryOrigin(StrEnum):
    """Who wrote the summary."""

    PUBLISHER = "publisher"
    EXTRACTIVE = "extractive"
    MODEL = "model"
    HUMAN = "human"


class NoteOrigin(StrEnum):
    """Who wrote the note: a model's is the AI Editor's Summary, a human's is headed "Editor's note"."""

    MODEL = "model"
    HUMAN = "human"


class CountryOrigin(StrEnum):
    """What filed the story under its country, strongest first. An editor's choice is never overwritten."""

    EDITOR = "editor"
    FEED = "feed"
    SOURCE = "source"
    RULE = "rule"
    MODEL = "model"


class StoryStatus(StrEnum):
    """Where a story stands. Only `READY` stories are composed into issues."""

    DRAFT = "draft"
    READY = "ready"
    HELD = "held"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One summarised article as we hold it; unique on (`source`, `external_id`).

    `revision` counts contents under one identity, from 1. `gathered_at` is when this desk first saw it.
    """

    source: str
    external_id: str
    url: str
    title: str
    outlet: str
    published_at: dt.datetime
    published_precision: Precision = Precision.EXACT
    guid: str | None = None
    url_canonical: str = ""
    summary: str = ""
    summary_origin: SummaryOrigin = SummaryOrigin.PUBLISHER
    note: tuple[str, ...] = ()
    note_origin: NoteOrigin = NoteOrigin.MODEL
    note_approved_by: str | None = None
    outlet_language: str | None = None
    paywall: bool = False
    kind: Kind = Kind.REPORT
    byline: tuple[str, ...] = ()
    country: str | None = None
    country_origin: CountryOrigin | None = None
    also_countries: tuple[str, ...] = ()
    section: str = ""
    embargo: dt.datetime | None = None
    tags: tuple[str, ...] = ()
    machine_tags: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    status: StoryStatus = StoryStatus.READY
    revision: int = 1
    gathered_at: dt.datetime | None = None

    @property
    def id(self) -> str:
        """`source:external_id`, the name of the story in commands and files."""
        return f"{self.source}:{self.external_id}"

    @property
    def shown_note(self) -> tuple[str, ...]:
        """The note a reader may see: a model's only after an editor approved it."""
        if self.note_origin is NoteOrigin.MODEL and not self.note_approved_by:
            return ()
        return self.note


@dataclass(frozen=True, slots=True)
class Refusal:
    """One story, row or recipient line that was not taken: its place in the input and the reason."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What an issue says, frozen: later edits of a story do not change it.

    `lead` is the id of the story that opens the subject line. `subject` and `preheader` are an editor's words;
    where they are None each edition makes its own from its lead stories.
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
    subject: str | None = None
    preheader: str | None = None

    @property
    def placed(self) -> tuple[PlacedStory, ...]:
        """Every story of the issue in reading order."""
        return tuple(placed for section in self.sections for placed in section.stories)

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries that have stories, in the issue's order."""
        return tuple(section.country for section in self.sections)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One dated number of a newsletter.

    `window_end` closes the window of stories the issue was composed from; the next issue's window opens there.
    `revision` counts drafts; `approved_revision` is the one whose bytes an approval sealed.
    """

    id: IssueId
    state: IssueState
    reason: str = ""
    due_at: dt.datetime
    revision: int = 0
    snapshot: Snapshot | None = None
    window_end: dt.datetime | None = None
    approved_revision: int | None = None
    approved_by: str | None = None
    approved_at: dt.datetime | None = None
    frozen_at: dt.datetime | None = None
    settled_at: dt.datetime | None = None


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
    reader.
    """

    edition: Edition
    subject: str
    preheader: str
    html: str
    text: str
    stories: int
    minutes: int

    @property
    def sha256(self) -> str:
        """What an approval seals: the hash of subject, preheader, html and text with the slots in place."""
        sealed = "\0".join((self.subject, self.preheader, self.html, self.text))
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


class DeliveryState(StrEnum):
    """What is known of one message. `SUBMITTED` means the mail server took it, not that it was read."""

    QUEUED = "queued"
    SENDING = "sending"
    SUBMITTED = "submitted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One subscriber frozen into an issue. `delivery` is the row that records what happens to the message."""

    delivery: int
    subscriber: int
    email: str
    name: str
    edition: str
    message_id: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """The finished RFC 5322 bytes for one recipient.

    `data` has CRLF line ends, no line over 998 bytes, ends with CRLF and is not dot-stuffed.
    """

    delivery: int
    envelope_from: str
    envelope_to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message, with the server's own words (`reply`, at most 500 characters kept).

    `state` is submitted (2xx after the dot), deferred (4xx), rejected (5xx), unknown (the line broke after the
    dot was written), failed (we could not make the message) or queued (nothing left: safe to try again).
    """

    delivery: int
    state: DeliveryState
    code: int | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The account of one issue: `candidates` = sum(`excluded`) + sum(`deliveries`), at every moment."""

    issue: IssueId
    state: IssueState
    candidates: int
    excluded: Mapping[str, int]
    deliveries: Mapping[str, int]

    @property
    def balanced(self) -> bool:
        """Whether every candidate is accounted for exactly once."""
        return self.candidates == sum(self.excluded.values()) + sum(self.deliveries.values())

    @property
    def doubts(self) -> int:
        """How many messages nobody can know the fate of."""
        return self.deliveries.get(DeliveryState.UNKNOWN, 0)

    def as_json(self) -> dict[str, object]:
        """The document of `newsletter issue status --json`."""
        return {
            "issue": str(self.issue),
            "state": str(self.state),
            "candidates": self.candidates,
            "doubts": self.doubts,
            "excluded": dict(self.excluded),
            "deliveries": dict(self.deliveries),
            "balanced": self.balanced,
        }
