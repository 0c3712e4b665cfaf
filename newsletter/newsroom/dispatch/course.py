"""How a send went, in time: what was handed over, deferred and refused, step by step, and how long nearly all took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.model import GIVEN_UP, DeliveryState, Issue, IssueId
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Tally

__all__ = ["Course", "NearlyAll", "Step", "course", "nearly_all", "refused_by_day"]

"""What did not reach the mail server, and will not by itself."""

_MINUTE = timedelta(minutes=1)
_STEPS = (1, 5, 15, 60)
_MOST_STEPS = 120
"""A table of more rows is not read; waves may take a day."""

_NEARLY = 0.95


@dataclass(frozen=True, slots=True)
class Step:
    """What came in the time that begins `at`, and how many were handed over up to its end."""

    at: datetime
    handed: int
    deferred: int
    refused: int
    so_far: int


@dataclass(frozen=True, slots=True)
class Course:
    """Steps of so many minutes each, earliest first; without those in which nothing came."""

    minutes: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class NearlyAll:
    """How long it took, from the freeze, until 95 % were with the mail server: up to the end of that minute.

    `took` is None where it never came to that, or where nobody counted (not `measured`).
    """

    measured: bool
    took: timedelta | None = None


def course(room: Newsroom, issue_id: IssueId) -> Course:
    """The course of an issue's send; no steps where nothing was counted."""
    tallies = room.courses.of(issue_id)
    if not tallies:
        return Course(1, ())
    span = (tallies[-1].at - tallies[0].at) // _MINUTE
    minutes = next((each for each in _STEPS if span < each * _MOST_STEPS), _STEPS[-1])
    return Course(minutes, _steps(tallies, minutes))


def nearly_all(room: Newsroom, issue: Issue) -> NearlyAll:
    """When 95 % of those who were to get the issue had been handed over."""
    counts = room.deliveries.counts(issue.id)
    wanted = (sum(counts.values()) - counts.get(DeliveryState.CANCELLED, 0)) * _NEARLY
    if issue.frozen_at is None or not counts or counts.get(DeliveryState.SUBMITTED, 0) < wanted:
        return NearlyAll(measured=bool(counts))
    handed = 0
    for tally in room.courses.of(issue.id):
        handed += tally.number if tally.state is DeliveryState.SUBMITTED else 0
        if handed >= wanted:
            return NearlyAll(True, max(tally.at + _MINUTE - issue.frozen_at, _MINUTE))
    return NearlyAll(measured=False)


def refused_by_day(room: Newsroom, start: datetime) -> Counter[tuple[date, DeliveryState]]:
    """How many messages of all issues were refused, ran out of time or could not be made, by day (UTC)."""
    found: Counter[tuple[date, DeliveryState]] = Counter()
    for tally in room.courses.since(start, GIVEN_UP):
        found[tally.at.date(), tally.state] += tally.number
    return found


def _steps(tallies: Sequence[Tally], minutes: int) -> Sequence[Step]:
    came: dict[datetime, Counter[DeliveryState]] = {}
    for tally in tallies:
        since_midnight = tally.at.hour * 60 + tally.at.minute
        begins = tally.at - timedelta(minutes=since_midnight % minutes)
        came.setdefault(begins, Counter())[tally.state] += tally.number
    steps, so_far = [], 0
    for at, each in came.items():
        so_far += each[DeliveryState.SUBMITTED]
        refused = sum(each[state] for state in GIVEN_UP)
        steps.append(Step(at, each[DeliveryState.SUBMITTED], each[DeliveryState.DEFERRED], refused, so_far))
    return steps
