"""What an issue says of earlier ones: of what was sent to its readers already, and of what was wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.model import Issue, IssueState, PlacedStory, Snapshot, Story, StoryStatus
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter

__all__ = ["breaking_issues", "retold"]

MOST_RETOLD = 5

_LONGEST_DRAFT = timedelta(days=2)
"""Breaking news that nobody approved for so long is none any more."""

_NEVER_LEFT = (IssueState.CANCELLED, IssueState.SKIPPED, IssueState.MISSED, IssueState.FAILED)


def retold(room: Newsroom, newsletter: Newsletter, issue: Issue, snapshot: Snapshot) -> Snapshot:
    """The snapshot of a regular issue with its corrections, and with a line each for what it does not tell again.

    That is what its readers were sent since the last issue by the newsletters of `not_again_from`, and as this one's
    own breaking news.
    """
    since = room.contents.last_window_end(newsletter.name, issue.id) or issue.due_at - newsletter.stories.at_most
    corrections = tuple(room.corrections.untold(newsletter.name, issue.id))
    return replace(snapshot, corrections=corrections, recap=_recap(room, newsletter, issue, since))


def breaking_issues(room: Newsroom, name: str, since: datetime) -> Iterator[Issue]:
    """The newsletter's breaking issues that were due since then, and have left or still may."""
    for each in room.issues.list(name, limit=200):
        if each.due_at >= since and each.window_end is None and each.state not in _NEVER_LEFT:
            issue = room.issues.get(each.id)
            if issue.snapshot is not None and issue.snapshot.breaking:
                yield issue


def _recap(room: Newsroom, newsletter: Newsletter, issue: Issue, since: datetime) -> tuple[PlacedStory, ...]:
    told: set[str] = set()
    for each in breaking_issues(room, newsletter.name, since - _LONGEST_DRAFT):
        if each.approved_at is not None and each.approved_at >= since and each.snapshot is not None:
            told |= {placed.story.id for placed in each.snapshot.placed}
    if newsletter.not_again_from:
        others = room.contents.carried(newsletter.not_again_from, issue.id)
        recent = {each for each in set(others.values()) if room.issues.get(each).due_at >= since}
        told |= {story for story, teller in others.items() if teller in recent}
    found = [story for story in room.stories.find(told).values() if _retold(story, newsletter)]
    latest = sorted(found, key=lambda story: story.published_at, reverse=True)
    return tuple(PlacedStory(story) for story in latest[:MOST_RETOLD])


def _retold(story: Story, newsletter: Newsletter) -> bool:
    places = {story.country, *story.also_countries}
    return story.status is StoryStatus.READY and bool(places & set(newsletter.countries))
