"""Who follows links: a person, or a program that opens every link of a mail before a person sees it.

A pure value of instants: what was followed within some seconds is judged together, by network and mail, before
any of it is counted. So the first clicks of a sweep are counted no more than its last.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.storage import Link

__all__ = ["LONGEST", "QUIET", "Followed", "Sweeps", "is_scanner"]

QUIET = 20.0
"""Seconds after which a network that followed nothing more of a mail is judged."""

LONGEST = 120.0
"""Seconds after which it is judged in any case; no network is remembered for longer."""

WITHIN, NEARLY_ALL, LEAST = 10.0, 0.8, 3
"""A sweep: so many seconds for so large a part of the links of a mail, and no less than three of them."""

MOST = 100_000
"""Clicks that wait for their judgement; beyond, the longest waiting are judged at once."""

# A Cubot is a phone.
_SCANNERS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|scanner|validator|preview|prefetch|headless|phantomjs|lighthouse"
    r"|python|curl/|wget|libwww|okhttp|java/|go-http|httpclient|axios|node-fetch|php/|ruby"
    r"|barracuda|proofpoint|mimecast|fireeye|trend ?micro|forcepoint|symantec|messagelabs|sophos|ironport|cloudmark"
    r"|safelinks|microsoft office|ms-office|googleimageproxy|google-safety|google-read-aloud|facebookexternalhit"
    r"|whatsapp/|skypeuri|embedly",
    re.IGNORECASE,
)
"""What programs call themselves that open links: of mail filters, of chats, of everybody who writes one."""


def is_scanner(agent: str) -> bool:
    """Whether a `User-Agent` is that of no person; who names none is none."""
    return not agent.strip() or _SCANNERS.search(agent) is not None


@dataclass(frozen=True, slots=True)
class Followed:
    """A link that was followed in the hour that begins then, as a person does or as a program."""

    key: str
    hour: datetime
    swept: bool


@dataclass(slots=True)
class _Visit:
    """What one network followed of one mail without a longer pause: instants (seconds), keys, hours."""

    among: int
    steps: list[tuple[float, str, datetime]] = field(default_factory=list)

    def over(self, now: float) -> bool:
        return now - self.steps[-1][0] >= QUIET or now - self.steps[0][0] >= LONGEST

    def swept(self) -> bool:
        enough = max(LEAST, math.ceil(self.among * NEARLY_ALL))
        begin = 0
        for end, (at, _, _) in enumerate(self.steps):
            while at - self.steps[begin][0] > WITHIN:
                begin += 1
            if end - begin + 1 >= enough and len({key for _, key, _ in self.steps[begin : end + 1]}) >= enough:
                return True
        return False


class Sweeps:
    """What was followed and is not judged yet. Not safe to share between threads."""

    def __init__(self) -> None:
        self._visits: dict[tuple[str, tuple[str, int, str]], _Visit] = {}
        self._waiting = 0

    def note(self, network: str, link: Link, hour: datetime, now: float) -> Iterator[Followed]:
        """Remember a link that was followed; what has to be judged early to make room is returned."""
        visit = self._visits.setdefault((network, link.mail), _Visit(link.among))
        visit.steps.append((now, link.key, hour))
        self._waiting += 1
        while self._waiting > MOST:
            yield from self._judge(next(iter(self._visits)))

    def settled(self, now: float) -> Iterator[Followed]:
        """What can be judged by now, forgotten here with its network."""
        for name in [name for name, visit in self._visits.items() if visit.over(now)]:
            yield from self._judge(name)

    def rest(self) -> Iterator[Followed]:
        """All that is left, judged by what is there of it."""
        for name in list(self._visits):
            yield from self._judge(name)

    def __len__(self) -> int:
        return self._waiting

    def _judge(self, name: tuple[str, tuple[str, int, str]]) -> Iterator[Followed]:
        visit = self._visits.pop(name)
        self._waiting -= len(visit.steps)
        swept = visit.swept()
        return (Followed(key, hour, swept) for _, key, hour in visit.steps)
