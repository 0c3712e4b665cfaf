"""The nouns of this house, as frozen values. Datetimes are aware and UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from subscribers.addresses import Address

__all__ = [
    "PENDING",
    "Event",
    "Exclusion",
    "Fate",
    "Frequency",
    "Group",
    "Preferences",
    "SignUp",
    "Status",
    "Subscriber",
    "Subscription",
]


class Status(StrEnum):
    """Where a subscription stands. Only `CONFIRMED` ones are mailed."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


class Frequency(StrEnum):
    """How often a subscriber wants to hear from us."""

    DAILY = "daily"
    WEEKLY = "weekly"
    BREAKING = "breaking"


class Exclusion(StrEnum):
    """Why a candidate is not mailed, strongest first. `FREQUENCY` stands for the whole segment."""

    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    PAUSED = "paused"
    FREQUENCY = "frequency"


class Fate(StrEnum):
    """What became of one sign-up; each has exactly one fate."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ALREADY_UNSUBSCRIBED = "already_unsubscribed"
    SUPPRESSED = "suppressed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What a subscriber chose; the fields that a person may change for themselves.

    `countries` None means all of them, `language` and `timezone` None mean the newsletter's own.
    """

    countries: tuple[str, ...] | None = None
    frequency: Frequency = Frequency.DAILY
    language: str | None = None
    timezone: str | None = None
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One newsletter of one subscriber, with the evidence of consent that `CONFIRMED` always has."""

    status: Status
    consent_at: datetime | None = None
    consent_source: str | None = None


PENDING = Subscription(Status.PENDING)
"""Asked for and not confirmed, with nothing said of consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person with one address.

    `id` is 0 until the row is written. `decided_at` is when they last chose their preferences themselves: from
    then on no file changes these.
    """

    id: int = 0
    address: Address
    name: str = ""
    preferences: Preferences = Preferences()
    decided_at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """The address that mail is sent to."""
        return self.address.email


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """What one row of a file, or one command, says about one address; None where it says nothing."""

    address: Address
    newsletters: tuple[str, ...]
    name: str | None = None
    countries: tuple[str, ...] | None = None
    frequency: Frequency | None = None
    language: str | None = None
    timezone: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    wanted: Subscription = PENDING


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a subscriber's history: when, what (`subscribed`, `confirmed`, …) and the particulars."""

    at: datetime
    what: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Group:
    """So many `subscribers` who asked for a newsletter and have all that decides their fate in common.

    `profile` tells groups apart and means nothing else; `excluded` says why they are not mailed, or is None.
    """

    profile: str
    countries: tuple[str, ...] | None
    language: str | None
    timezone: str | None
    excluded: Exclusion | None
    subscribers: int
