"""A story as we hold it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "KEEPS_BACK",
    "CountryOrigin",
    "Image",
    "Kind",
    "NoteOrigin",
    "Precision",
    "Provenance",
    "Refusal",
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


KEEPS_BACK = (StoryStatus.HELD, StoryStatus.WITHDRAWN)
"""What an editor says with these holds for every copy of the story; one that is rejected leaves the others."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the outlet's: its http(s) address, what it shows, and whom to thank for it."""

    url: str
    alt: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a note that this desk had drafted was made with: the model's name, and hashes of prompt and story text."""

    model: str
    prompt: str
    input: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One summarised article as we hold it; unique on (`source`, `external_id`).

    `revision` counts contents under one identity, from 1. `gathered_at` is when this desk first saw it. `rights` is
    what the source itself states about using the story. `note_provenance` is set for notes drafted on this desk.
    `edited` names the fields that an editor of this desk has written: what the source says of them later is not taken.
    `cluster` is the id of the story that leads the copies of this one (itself, if it leads), None where there are none.
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
    note_provenance: Provenance | None = None
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
    image: Image | None = None
    rights: str = ""
    language: str | None = None
    status: StoryStatus = StoryStatus.READY
    edited: tuple[str, ...] = ()
    revision: int = 1
    cluster: str | None = None
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
