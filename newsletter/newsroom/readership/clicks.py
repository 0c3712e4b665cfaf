"""How often the stories of an issue were followed, in aggregate: no figure under ten, and nobody's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import PlanError
from newsletter.model import DeliveryState, IssueId
from newsletter.newsroom.readership.sweeps import LONGEST, is_scanner
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Clicked

__all__ = ["FEWEST", "IssueClicks", "StoryClicks", "clicks_of", "destination", "follow", "told"]

FEWEST = 10
"""The smallest figure that is shown, and how many must have an issue before any of it is."""


@dataclass(frozen=True, slots=True)
class StoryClicks:
    """How often a story was followed; None for under ten."""

    story: str
    title: str
    clicks: int | None


@dataclass(frozen=True, slots=True)
class IssueClicks:
    """The figures of an issue: its stories, most followed first; the hours of those with a figure, each with ten or
    more and over; and what scanners followed."""

    stories: Sequence[StoryClicks]
    hours: Sequence[tuple[datetime, int]]
    scanned: int | None

    @property
    def most(self) -> int:
        """What the story followed most has; 1 where none has a figure."""
        return max((each.clicks for each in self.stories if each.clicks is not None), default=1)

    def as_json(self) -> dict[str, object]:
        """For programs: `clicks` is null under ten."""
        return {
            "stories": [{"id": each.story, "title": each.title, "clicks": each.clicks} for each in self.stories],
            "hours": [{"from": at.isoformat(), "clicks": number} for at, number in self.hours],
            "scanned": self.scanned,
        }


def destination(room: Newsroom, key: str) -> str | None:
    """Where the counted link of that key leads; None for one that is not ours. Looking counts nothing."""
    link = room.clicks.find(key)
    return link.url if link else None


def follow(room: Newsroom, key: str, network: str, agent: str) -> str | None:
    """`destination`, counted a little later where the newsletter still counts."""
    link = room.clicks.find(key)
    if link is None:
        return None
    if _counts(room, link.newsletter):
        room.click_counter.follow(network, link, room.clock.now(), scanner=is_scanner(agent))
    return link.url


def _counts(room: Newsroom, name: str) -> bool:
    try:
        newsletter = room.plan.newsletters.get(name)
    except PlanError:
        return False
    return newsletter is not None and newsletter.clicks


def clicks_of(room: Newsroom, issue_id: IssueId) -> IssueClicks | None:
    """The figures of an issue, and none in it while under ten have it; None where its mails have no counted links."""
    if not room.clicks.counted(issue_id):
        return None
    snapshot = room.issues.get(issue_id).snapshot
    titles = {placed.story.id: placed.story.title for placed in snapshot.placed} if snapshot else {}
    handed = room.deliveries.counts(issue_id).get(DeliveryState.SUBMITTED, 0)
    now = room.clock.now() - timedelta(seconds=LONGEST)  # by then what was followed is counted
    return told(room.clicks.of(issue_id) if handed >= FEWEST else (), titles, now)


def told(found: Sequence[Clicked], titles: dict[str, str], now: datetime) -> IssueClicks:
    """What may be shown of what was counted; `titles` are the stories (by id) that the issue tells, also unfollowed.

    The hours are those of the stories with a figure, so that no difference of two sums is a figure under ten; an hour
    with fewer stands with the next ones. The running hour is left out: it would tell of each click when it was.
    """
    sums: Counter[str] = Counter(dict.fromkeys(titles, 0))
    for each in found:
        sums[each.story] += each.clicks
    shown = {story for story, number in sums.items() if number >= FEWEST}
    by_hour: defaultdict[datetime, int] = defaultdict(int)
    for each in found:
        if each.story in shown:
            by_hour[each.hour] += each.clicks
    ordered = sorted(sums, key=lambda story: (story not in shown, -sums[story] if story in shown else 0))
    stories = [StoryClicks(each, titles.get(each, each), sums[each] if each in shown else None) for each in ordered]
    scanned = sum(each.scanned for each in found)
    return IssueClicks(stories, _over(by_hour, now), scanned if scanned >= FEWEST else None)


def _over(by_hour: Mapping[datetime, int], now: datetime) -> Sequence[tuple[datetime, int]]:
    """The spans that are over. While the running hour has under ten the last of them is left out with it: the rest is
    the difference to the figures of the stories."""
    running = now.replace(minute=0, second=0, microsecond=0)
    spans = _gathered(sorted((at, number) for at, number in by_hour.items() if at < running))
    rest = sum(by_hour.values()) - sum(number for _, number in spans)
    return spans[:-1] if 0 < rest < FEWEST else spans


def _gathered(hours: Sequence[tuple[datetime, int]]) -> Sequence[tuple[datetime, int]]:
    """Spans of ten or more each, from their first hour to the next one's; what is left over stands with the last."""
    spans: list[tuple[datetime, int]] = []
    start: datetime | None = None
    number = 0
    for at, clicks in hours:
        start, number = start or at, number + clicks
        if number >= FEWEST:
            spans.append((start, number))
            start, number = None, 0
    if number and spans:
        spans[-1] = (spans[-1][0], spans[-1][1] + number)
    return spans
