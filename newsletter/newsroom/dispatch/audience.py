"""Who would get an issue at this moment, in which edition, and who is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter import compose
from newsletter.model import DeliveryState, Edition, Issue, IssueId, Snapshot
from newsletter.newsroom.dispatch.waves import WaveOf
from newsletter.newsroom.room import Newsroom
from newsletter.storage.corrections import got_fault
from subscribers.audience import Audience, fits

__all__ = ["Chosen", "Verdict", "audience_of", "choose", "of_one", "would_fit"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The audience of an issue: how many `readers` of each edition, and how many are `excluded` for each reason."""

    readers: Mapping[Edition, int]
    excluded: Mapping[str, int]
    _audience: Audience
    _keys: Mapping[str, str]  # of editions, by the profile of a group
    _waves: Mapping[str, datetime]  # of those who wait, in the same way

    def recipients(self) -> sa.Select[tuple[int, str, str, str, datetime | None]]:
        """Subscriber, address, name, edition and wave of everybody who would get it; see `Audience.recipients`."""
        return self._audience.recipients(self._keys, self._waves)

    def addresses(self, connection: Connection) -> Iterator[str]:
        """The address of everybody who would get it."""
        for row in connection.execution_options(yield_per=1000).execute(self.recipients()):
            yield row.email


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reader gets: an edition, or None and the `reason`. Once the audience is frozen, `state` is what became
    of their message.

    The reasons are those of the books, and `unconfirmed` (no confirmed subscription), `no_fault` (they did not get what
    a correction corrects), `came_later` (they were not among the readers that were frozen).
    """

    edition: Edition | None
    reason: str = ""
    state: DeliveryState | None = None


def choose(room: Newsroom, connection: Connection, snapshot: Snapshot, wave: WaveOf = lambda zone: None) -> Chosen:
    """The audience that the snapshot's newsletter has now, on that connection; of a correction, who got the fault.

    `wave` says who waits.
    """
    audience = audience_of(room, connection, snapshot)
    keys: dict[str, str] = {}
    waves: dict[str, datetime] = {}
    readers: Counter[Edition] = Counter()
    excluded: Counter[str] = Counter()
    for group in audience.groups():
        edition = compose.choose_edition(snapshot, group.countries, group.language)
        if group.excluded is not None:
            excluded[str(group.excluded)] += group.subscribers
        elif edition is None:
            excluded["no_stories"] += group.subscribers
        else:
            keys[group.profile] = edition.key
            readers[edition] += group.subscribers
            if (at := wave(group.timezone)) is not None:
                waves[group.profile] = at
    return Chosen(readers, excluded, audience, keys, waves)


def audience_of(room: Newsroom, connection: Connection, snapshot: Snapshot) -> Audience:
    """Everybody whom the snapshot could be for now, on that connection; of a correction, who got the fault."""
    faulty = snapshot.faulty
    only = got_fault(connection, IssueId.parse(faulty.issue), faulty.below) if faulty else None
    return Audience(connection, snapshot.newsletter, _segment(room, snapshot), room.clock.now(), only)


def of_one(room: Newsroom, issue: Issue, snapshot: Snapshot, subscriber: int) -> Verdict:
    """What the subscriber of that number gets of the issue, by the rules that choose everybody's; of a frozen one, what
    they got."""
    if issue.frozen_at is not None:
        mailed = room.deliveries.of_subscriber(issue.id, subscriber)
        if mailed is not None:
            return Verdict(Edition.parse(mailed.edition), state=mailed.state)
    with room.database.read() as connection:
        verdict = _of_one(room, connection, snapshot, subscriber)
    if issue.frozen_at is not None and verdict.edition is not None:
        return Verdict(None, "came_later")
    return verdict


def _of_one(room: Newsroom, connection: Connection, snapshot: Snapshot, subscriber: int) -> Verdict:
    if faulty := snapshot.faulty:
        got = got_fault(connection, IssueId.parse(faulty.issue), faulty.below).subquery()
        if connection.scalar(sa.select(got).where(got.c.subscriber_id == subscriber)) is None:
            return Verdict(None, "no_fault")
    only = sa.select(sa.literal(subscriber))
    audience = Audience(connection, snapshot.newsletter, _segment(room, snapshot), room.clock.now(), only)
    for group in audience.groups():
        if group.excluded is not None:
            return Verdict(None, str(group.excluded))
        edition = compose.choose_edition(snapshot, group.countries, group.language)
        return Verdict(edition, "" if edition else "no_stories")
    return Verdict(None, "unconfirmed")


def would_fit(
    room: Newsroom, snapshot: Snapshot, frequency: str, countries: Sequence[str] | None, language: str | None
) -> bool:
    """Whether the newsletter is for somebody who chose that."""
    return fits(_segment(room, snapshot), frequency, countries, language)


def _segment(room: Newsroom, snapshot: Snapshot) -> Mapping[str, object]:
    return room.newsletter(snapshot.newsletter).segment if snapshot.segment is None else snapshot.segment
