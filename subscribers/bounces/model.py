"""What a returned message may say, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["FAILURES", "SCORED", "BounceClass", "Consequence", "Held", "Origin", "Report"]


class BounceClass(StrEnum):
    """What a returned message says of one delivery; of the failures the mildest first."""

    POLICY = "policy"
    """The message or its sender is not wanted there: it says nothing about the person (x.7.x, x.6.x, 5.2.3)."""
    MAILBOX = "mailbox"
    """Full, switched off, or not reachable until somebody gave up (5.2.x, 4.x.x)."""
    OTHER = "other"
    """It failed for good, and nobody says that the address is wrong."""
    ADDRESS = "address"
    """There is no such mailbox or domain (5.1.x)."""
    COMPLAINT = "complaint"
    """The person called the message spam (RFC 5965)."""
    DELAYED = "delayed"
    """It is still being tried."""
    DELIVERED = "delivered"
    """It arrived, or was handed on."""
    REPLY = "reply"
    """A machine answers for a person: out of office, read receipts."""
    UNKNOWN = "unknown"
    """Nothing that this house understands."""


FAILURES = (BounceClass.POLICY, BounceClass.MAILBOX, BounceClass.OTHER, BounceClass.ADDRESS)
"""Classes of a message that did not arrive, the mildest first."""

SCORED = (BounceClass.MAILBOX, BounceClass.OTHER)
"""Failures of which it takes many in a row."""


class Consequence(StrEnum):
    """What followed for the person."""

    SUPPRESSED = "suppressed"
    HELD = "held"
    """Nothing yet: so many addresses of one provider are unknown at once that a person looks at them together."""
    PAUSED = "paused"
    SCORED = "scored"
    NOTED = "noted"
    """Nothing: it says nothing against them, or they are not mailed anyway."""
    RELEASED = "released"
    """Nothing after all: whoever looked at what was held says so."""
    KNOWN = "known"
    """Nothing more: the same message was read before."""
    NOBODY = "nobody"
    """There is no such subscriber any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The message that something came back of: to whom, when it was handed over, of which newsletter and issue."""

    delivery: int
    subscriber: int
    email: str
    newsletter: str
    issue: str
    sent_at: datetime

    @property
    def provider(self) -> str:
        """The domain it went to, in small letters."""
        return self.email.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held of one provider: how many people, since when, and what its servers last said."""

    provider: str
    people: int
    first: datetime
    last: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one message says: `status` is an enhanced code (RFC 3463) or empty, `words` the reason, one line.

    `tokens` are envelope senders' tokens and `links` tokens of unsubscribe links that stand in it, the most telling
    place first. Anybody can write them: whose they are is for their MAC to prove. `recipients` are the addresses it
    speaks of, in small letters; they only ever speak for a person, never against one.
    """

    kind: BounceClass
    status: str = ""
    words: str = ""
    tokens: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
