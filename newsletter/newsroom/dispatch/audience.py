"""Who would get an issue at this moment, in which edition, and who is left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter import compose
from newsletter.model import Edition, IssueId, Snapshot
from newsletter.newsroom.dispatch.waves import WaveOf
from newsletter.newsroom.room import Newsroom
from newsletter.storage.corrections import got_fault
from subscribers.audience import Audience

__all__ = ["Chosen", "choose"]


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


def choose(room: Newsroom, connection: Connection, snapshot: Snapshot, wave: WaveOf = lambda zone: None) -> Chosen:
    """The audience that the snapshot's newsletter has now, on that connection; of a correction, who got the fault.

    `wave` says who waits.
    """
    newsletter = room.newsletter(snapshot.newsletter)
    segment = newsletter.segment if snapshot.segment is None else snapshot.segment
    faulty = snapshot.faulty
    only = got_fault(connection, IssueId.parse(faulty.issue), faulty.below) if faulty else None
    audience = Audience(connection, newsletter.name, segment, room.clock.now(), only)
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
