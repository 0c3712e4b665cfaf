"""A message on its way, what became of it, and the books of an issue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from newsletter.model.issue import IssueId, IssueState

__all__ = [
    "UNSETTLED",
    "Books",
    "DeliveryState",
    "Lane",
    "Message",
    "Outcome",
    "Recipient",
    "Window",
    "WireContent",
]


class DeliveryState(StrEnum):
    """What is known of one message. `SUBMITTED` means the mail server took it, not that it was read."""

    __hash__ = str.__hash__  # an Enum's own is a function of Python, and is asked for several times a message

    QUEUED = "queued"
    SENDING = "sending"
    SUBMITTED = "submitted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


CLAIMABLE = frozenset({DeliveryState.QUEUED, DeliveryState.DEFERRED})
"""States in which a sender may take a delivery up."""

UNSETTLED = CLAIMABLE | {DeliveryState.SENDING}
"""States that a delivery leaves again by itself."""

REACHED = frozenset({DeliveryState.SUBMITTED, DeliveryState.UNKNOWN})
"""States of a message that is, or may be, in an inbox."""

GIVEN_UP = (DeliveryState.REJECTED, DeliveryState.FAILED, DeliveryState.EXPIRED)
"""States of a message that did not leave and is not tried again, in the order in which they are told."""


class Recipient(NamedTuple):
    """One subscriber frozen into an issue. `delivery` is the row that records what happens to the message, `revision`
    and `edition` are what it is made of.

    A tuple, as `Message` and `Outcome` are, because there is one for each message, and a frozen dataclass takes three
    times as long to make.
    """

    delivery: int
    subscriber: int
    email: str
    name: str
    edition: str
    message_id: str
    revision: int = 1
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """Recipients whose messages one sender carries under one committed intent."""

    intent: int
    recipients: tuple[Recipient, ...]


class WireContent:
    """Content that may follow DATA as it stands: CRLF line ends, no line too long or beginning with a dot.

    The type is the proof: looking for a dot in each spliced message again would cost 25 µs of 40 KB, about what all the
    rest of sending it does. It is kept in pieces, which most readers' messages share, until it is written.
    """

    __slots__ = ("_size", "pieces")

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces
        self._size = sum(map(len, pieces))

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)


class Message(NamedTuple):
    """The finished RFC 5322 bytes for one recipient.

    `content` has CRLF line ends, no line over 998 bytes, and ends with CRLF; as bytes it is not dot-stuffed.
    """

    delivery: int
    envelope_from: str
    envelope_to: str
    content: bytes | WireContent

    @property
    def data(self) -> bytes:
        """The whole content in one piece."""
        return bytes(self.content)


class Outcome(NamedTuple):
    """What became of one message, with the server's own words (`reply`, at most 500 characters kept).

    `state` is submitted (2xx after the dot), deferred (4xx), rejected (5xx), unknown (the line broke after the
    dot was written), failed (we could not make the message) or queued (nothing left: safe to try again).
    """

    delivery: int
    state: DeliveryState
    code: int | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """How fast one mail server is sent to by all senders together.

    `rate`, in messages a second, is None unless the server asked for less than it got, which was `slowed_from` at
    first. It was last changed at `changed_at`. Up to `free_at` the server's time is taken.

    `urgent` is the priority of the most urgent sender at work, which said so last for the instant `urgent_at`.
    """

    free_at: datetime
    rate: float | None = None
    slowed_from: float | None = None
    changed_at: datetime | None = None
    urgent: int | None = None
    urgent_at: datetime | None = None


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
