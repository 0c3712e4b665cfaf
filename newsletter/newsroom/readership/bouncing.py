"""What came back is led to whom it is about, and what it says of an issue is told to the desk's people.

Who it is, only a token with its MAC says: it stands in the envelope sender of one message, and nobody else can make
one. A header, an address or a Message-ID proves nothing, for anybody can write those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.newsroom.readership import readers, reputation
from newsletter.newsroom.readership.envelopes import delivery_of
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Trace
from newsletter.tokens import Purpose
from subscribers.bounces.judging import LOOK_BACK
from subscribers.bounces.mime import digest_of
from subscribers.bounces.model import FAILURES, BounceClass, Consequence, Origin, Report
from subscribers.bounces.reading import read

__all__ = ["Fate", "Taken", "awake", "settle", "take", "take_report"]

_TELLING = (*FAILURES, BounceClass.COMPLAINT)


class Fate(StrEnum):
    """What became of one message that came back. The first ones are the `Consequence`s of the subscribers' house."""

    SUPPRESSED = "suppressed"
    HELD = "held"
    PAUSED = "paused"
    SCORED = "scored"
    NOTED = "noted"
    KNOWN = "known"
    IGNORED = "ignored"
    """A reply of a machine, a delay, or nothing that is understood."""
    FORGED = "forged"
    """It names a delivery with a MAC that is not ours."""
    UNADDRESSED = "unaddressed"
    """It names no delivery, or one that is there no more."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One message: the class that counted, and what followed."""

    kind: BounceClass
    fate: Fate


def take(room: Newsroom, data: bytes) -> Taken:
    """Take one message of the bounces' mailbox, whatever it is; committed when this returns, and harmless to repeat."""
    return take_report(room, read(data), digest_of(data))


def take_report(room: Newsroom, report: Report, digest: str) -> Taken:
    """Take what a message says; `digest` tells it from other messages."""
    if report.kind not in _TELLING:
        return Taken(report.kind, Fate.IGNORED)
    number = next((each for token in report.tokens if (each := delivery_of(room, token)) is not None), None)
    if number is None:
        number = _by_link(room, report.links)
    trace = None if number is None else room.traces.find(number)
    if trace is None:
        return Taken(report.kind, Fate.FORGED if report.tokens and number is None else Fate.UNADDRESSED)
    origin = _origin(trace)
    now = room.clock.now()
    kind, then = room.bounces.take(
        report,
        origin,
        digest,
        now,
        mailed=lambda: room.traces.mailed(trace.subscriber, now - LOOK_BACK),
        handed=lambda: room.traces.handed_to(trace.issue, origin.provider),
    )
    if then is Consequence.NOBODY:
        return Taken(kind, Fate.UNADDRESSED)
    reputation.look(room, trace.issue, kind, then, origin.provider)
    return Taken(kind, Fate(then))


def settle(room: Newsroom, provider: str, *, dead: bool, who: str) -> int:
    """Suppress everybody who is held of a provider, or let them be; returns how many those were."""
    return room.bounces.settle(provider, room.clock.now(), dead=dead, how=f"by {who}")


def awake(room: Newsroom) -> None:
    """Let everybody be whose probe came to nothing bad, and note which probes have left; the clock asks."""
    now = room.clock.now()
    for subscriber, probe_at, probed_at in room.bounces.awaking(now):
        left = probed_at or next((at for _, at in room.traces.mailed(subscriber, probe_at) if at >= probe_at), None)
        if left is not None:
            room.bounces.probed(subscriber, left, now)


def _origin(trace: Trace) -> Origin:
    return Origin(
        delivery=trace.delivery,
        subscriber=trace.subscriber,
        email=trace.email,
        newsletter=trace.issue.newsletter,
        issue=str(trace.issue),
        sent_at=trace.at,
    )


def _by_link(room: Newsroom, links: Sequence[str]) -> int | None:
    """The last delivery to whom an unsubscribe link in a complaint speaks for: who passes complaints on often takes the
    envelope sender out, and whoever holds the link could unsubscribe by it anyway."""
    for link in links:
        if reader := readers.reader_of(room, Purpose.UNSUBSCRIBE, link):
            return room.traces.latest(reader.subscriber.id, reader.name)
    return None
