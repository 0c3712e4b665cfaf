"""What answers about subscribers hold, for the OpenAPI document; the subscribers' house makes the values."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from newsletter.web.api.fields import Answer
from newsletter.web.api.shapes import NEXT

__all__ = [
    "Enrolled",
    "FileTaken",
    "Preferred",
    "SubscriberLine",
    "SubscriberPage",
    "SubscriberWhole",
    "Suppressed",
    "Unsubscribed",
    "Unsuppressed",
]


class SubscriberLine(Answer):
    """A subscriber; `id` is null where only a suppression of the address is known."""

    id: int | None
    email: str
    name: str
    status: str
    subscriptions: dict[str, str]
    countries: list[str] | None
    frequency: str
    language: str | None
    timezone: str | None
    paused_until: str | None
    attributes: dict[str, str]


class Preferred(SubscriberLine):
    """A subscriber as they stand now."""

    left: list[str] = Field(description="What was named and stays as the reader decided it.")


class SubscriberWhole(SubscriberLine):
    """A subscriber with their history."""

    history: list[dict[str, Any]]


class SubscriberPage(Answer):
    """Subscribers, the latest first."""

    subscribers: list[SubscriberLine]
    next: str | None = NEXT


class Enrolled(Answer):
    """What became of a sign-up. `asked`: a mail that asks for confirmation is due."""

    fate: str
    asked: bool
    subscriber: SubscriberLine | None


class RowRefused(Answer):
    """A row that was not taken: the line it starts on, and why."""

    row: int
    reason: str


class FileTaken(Answer):
    """What became of a file, row by row: the numbers of `subscribers import --json`, and how far it is."""

    id: str
    state: str = Field(description="`at work`, `done`, or `failed`; then `trouble` says why.")
    dry_run: bool
    share: float = Field(description="Of the file that is read, from 0 to 1.")
    rows: int
    added: int
    changed: int
    unchanged: int
    already_unsubscribed: int
    suppressed: int
    refused: int
    refusals: list[RowRefused] = Field(description="The first hundred.")
    rejects: str | None = Field(description="Where all of them are, as CSV.")
    trouble: str


class Unsubscribed(Answer):
    """The newsletters that ended with this call."""

    ended: list[str]


class Suppressed(Answer):
    """Whether the address was not suppressed before."""

    new: bool


class Unsuppressed(Answer):
    """The reason for which the address was suppressed; null where it was not."""

    lifted: str | None
