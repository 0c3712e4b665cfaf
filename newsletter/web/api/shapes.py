"""What answers hold, for the OpenAPI document; the values themselves are made by `newsroom.documents` and the
subscribers' house."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from newsletter.web.api.fields import Answer

__all__ = [
    "NEXT",
    "Book",
    "IssueLine",
    "IssuePage",
    "IssueWhole",
    "Me",
    "Newsletters",
    "Received",
    "StoryLine",
    "StoryPage",
    "StoryWhole",
    "Taken",
]

NEXT = Field(description="Where the next page begins, for `after`; null on the last one.")


class Me(Answer):
    """A token, and what it may do."""

    name: str
    scope: str


class StoryLine(Answer):
    """A story: what a story file holds of it (docs/story-files.md), and what the desk knows."""

    id: str
    revision: int
    cluster: str | None
    source: str
    external_id: str
    url: str
    url_canonical: str
    guid: str | None
    title: str
    summary: str
    summary_origin: str
    note: list[str]
    note_origin: str
    note_approved_by: str | None
    note_provenance: dict[str, Any] | None
    outlet: str
    outlet_language: str | None
    paywall: bool
    kind: str
    byline: list[str]
    country: str | None
    country_origin: str | None
    also_countries: list[str]
    section: str
    embargo: str | None
    tags: list[str]
    machine_tags: dict[str, str]
    image: dict[str, Any] | None
    rights: str
    published_at: str
    published_precision: str
    language: str | None
    status: str


class Done(Answer):
    """What somebody did to a story."""

    at: str
    who: str
    what: str
    why: str


class StoryWhole(StoryLine):
    """A story with what was done to it at the desk."""

    history: list[Done]


class StoryPage(Answer):
    """Stories, latest published first."""

    stories: list[StoryLine]
    next: str | None = NEXT


class Refused(Answer):
    """A story that was not taken."""

    where: str
    reason: str


class Taken(Answer):
    """What became of pushed stories."""

    source: str
    new: int
    revised: int
    known: int
    refused: list[Refused]


class Received(Answer):
    """A notification was taken."""

    taken: bool


class SlotLine(Answer):
    """When a newsletter is due."""

    newsletter: str
    date: str
    number: int = Field(default=1, description="Absent where it is 1.")
    local: str | None
    utc: str | None
    note: str | None


class NewsletterLine(Answer):
    """A newsletter of schedule.yaml, with its next slots."""

    newsletter: str
    title: str
    at: str
    timezone: str
    days: list[str]
    countries: list[str]
    approval: str
    enabled: bool
    paused: str | None
    revision: str
    next: list[SlotLine]


class Newsletters(Answer):
    """Every newsletter of the desk."""

    newsletters: list[NewsletterLine]


class IssueLine(Answer):
    """An issue as a line of a list."""

    issue: str
    state: str
    reason: str
    due_at: str
    revision: int
    approved_by: str | None
    approved_at: str | None


class IssuePage(Answer):
    """Issues, latest due first."""

    issues: list[IssueLine]
    next: str | None = NEXT


class RelatedLine(Answer):
    """A story offered under another one."""

    id: str
    title: str
    reasons: list[str]


class PlacedLine(Answer):
    """A story where it stands in an issue."""

    id: str
    title: str
    outlet: str
    related: list[RelatedLine]


class SectionLine(Answer):
    """A country of an issue."""

    country: str
    stories: list[PlacedLine]


class Step(Answer):
    """One change of an issue's state."""

    at: str
    who: str
    from_: str | None = Field(alias="from")
    to: str
    why: str
    plan: str


class IssueWhole(IssueLine):
    """An issue with its stories and its history."""

    lead: str | None
    sections: list[SectionLine]
    history: list[Step]


class Book(Answer):
    """The books of an issue: `candidates` is the sum of all `excluded` and all `deliveries`."""

    issue: str
    state: str
    candidates: int
    doubts: int
    excluded: dict[str, int]
    deliveries: dict[str, int]
    balanced: bool
    waves: list[dict[str, Any]]
    revisions: dict[str, int] = Field(default={}, description="Of an issue that was corrected: who got which.")
