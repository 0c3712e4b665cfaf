"""The day after: what became of the issues of a date, by newsletter and country. Nobody's opens are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import PlanError
from newsletter.model import GIVEN_UP, OTHERS, DeliveryState, Edition, Issue, IssueId, provider_of
from newsletter.newsroom.dispatch.course import NearlyAll, nearly_all
from newsletter.newsroom.readership.clicks import IssueClicks, clicks_of
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Refusals
from subscribers.bounces.model import BounceClass
from subscribers.growth import Ending

__all__ = [
    "After",
    "AtProvider",
    "Left",
    "Reported",
    "after",
    "at_providers",
    "handed_by_country",
    "latest_day",
    "refusals_said",
]

LONG_ENOUGH = timedelta(days=7)
"""For so long after its date an issue's own links are counted as its doing."""

MOST_SAID = 20


@dataclass(frozen=True, slots=True)
class Left:
    """Subscriptions that ended: by a link of the issue, within a week; or on the issue's own day in any way that names
    none."""

    by_link: int
    otherwise: int
    by_country: Mapping[str, int]
    """Of those who had got the issue: a reader of several countries counts in each."""

    @property
    def together(self) -> int:
        """All of them."""
        return self.by_link + self.otherwise


@dataclass(frozen=True, slots=True)
class Reported:
    """Errors that readers reported: of the issue, and from the pages of stories on its day, which name no issue."""

    of_issue: int
    otherwise: int
    by_country: Mapping[str, int]

    @property
    def together(self) -> int:
        """All of them."""
        return self.of_issue + self.otherwise


@dataclass(frozen=True, slots=True)
class After:
    """What is known of one issue."""

    issue: Issue
    wanted: int
    handed: int
    nearly_all: NearlyAll
    left: Left
    reports: Reported
    complaints: int | None
    """How many called it spam; None on a desk that never reads what comes back."""
    clicks: IssueClicks | None
    """How often its stories were followed; None where that is not counted."""


@dataclass(frozen=True, slots=True)
class AtProvider:
    """What the readers of one provider were answered: messages taken, tries deferred, messages given up, and those that
    came back later (None on a desk that never reads these)."""

    name: str
    accepted: int
    deferred: int
    refused: int
    bounced: int | None


def latest_day(room: Newsroom, before: date) -> date | None:
    """The latest date before that one of which an issue was sent; else the latest of all."""
    sent = {issue.id.date for issue in room.issues.list(limit=200) if issue.frozen_at is not None}
    return max((day for day in sent if day < before), default=max(sent, default=None))


def after(room: Newsroom, day: date) -> list[After]:
    """Every issue of that date whose audience was frozen, by newsletter."""
    issues = _sent_on(room, day)
    endings = list(_endings(room, issues))
    seen: set[str] = set()
    found = []
    reads = _reads_bounces(room)
    for issue in issues:
        counts = room.deliveries.counts(issue.id)
        wanted = sum(counts.values()) - counts.get(DeliveryState.CANCELLED, 0)
        first = issue.id.newsletter not in seen
        left, reports = _left(room, issue, endings, first=first), _reported(room, issue, first=first)
        handed = counts.get(DeliveryState.SUBMITTED, 0)
        complaints = room.bounces.people([str(issue.id)], BounceClass.COMPLAINT) if reads else None
        clicks = clicks_of(room, issue.id)
        found.append(After(issue, wanted, handed, nearly_all(room, issue), left, reports, complaints, clicks))
        seen.add(issue.id.newsletter)
    return found


def handed_by_country(room: Newsroom, issue_id: IssueId) -> Mapping[str, int]:
    """How many of the messages that were handed over tell of each country: a reader of several counts in each."""
    return _by_country(room.deliveries.handed(issue_id))


def at_providers(room: Newsroom, day: date) -> list[AtProvider]:
    """What the providers' mail servers made of all issues of that date, most messages first, all others last."""
    found: dict[str, Counter[DeliveryState]] = {}
    issues = _sent_on(room, day)
    for issue in issues:
        for provider, outcomes in room.courses.by_provider(issue.id).items():
            found.setdefault(provider, Counter()).update(outcomes)
    bounced: Counter[str] = Counter()
    for domain, number in room.bounces.by_provider([str(issue.id) for issue in issues]).items():
        bounced[provider_of(f"@{domain}")] += number
    reads = _reads_bounces(room)
    rows = [
        AtProvider(
            name,
            each[DeliveryState.SUBMITTED],
            each[DeliveryState.DEFERRED],
            sum(each[state] for state in GIVEN_UP),
            bounced[name] if reads else None,
        )
        for name, each in found.items()
    ]
    return sorted(rows, key=lambda row: (row.name == OTHERS, -row.accepted, row.name))


def _reads_bounces(room: Newsroom) -> bool:
    return bool(room.settings.bounces_url or room.settings.bounces_topic) or room.bounces.ever()


def refusals_said(room: Newsroom, day: date) -> list[Refusals]:
    """What mail servers said to the messages of that date that were given up, the most frequent words first."""
    said = [
        words
        for issue in _sent_on(room, day)
        if any(room.deliveries.counts(issue.id).get(state) for state in GIVEN_UP)
        for words in room.deliveries.refusals(issue.id, GIVEN_UP, MOST_SAID)
    ]
    together: Counter[tuple[DeliveryState, int | None, str]] = Counter()
    for each in said:
        together[each.state, each.code, each.reply] += each.number
    return [Refusals(*words, number) for words, number in together.most_common(MOST_SAID)]


def _sent_on(room: Newsroom, day: date) -> Sequence[Issue]:
    dated = room.issues.dated(day)
    return sorted((each for each in dated if each.frozen_at is not None), key=lambda each: each.id)


def _endings(room: Newsroom, issues: Sequence[Issue]) -> Iterator[Ending]:
    """Every subscription that ended in the time that any of these issues is answerable for."""
    spans = [_day_of(room, issue) for issue in issues]
    if spans:
        until = max(end for _, end in spans) + LONG_ENOUGH
        yield from room.subscribers.endings(min(start for start, _ in spans), until)


def _left(room: Newsroom, issue: Issue, endings: Sequence[Ending], *, first: bool) -> Left:
    """What named no issue is told of the first of the newsletter on that day, once."""
    start, end = _day_of(room, issue)
    mine = [each for each in endings if each.newsletter == issue.id.newsletter]
    by_link = [each for each in mine if each.issue == str(issue.id)]
    otherwise = [each for each in mine if each.issue is None and start <= each.at < end] if first else []
    gone = [each.subscriber for each in (*by_link, *otherwise)]
    editions = room.deliveries.editions_of(issue.id, gone)
    return Left(len(by_link), len(otherwise), _by_country(Counter(editions[each] for each in gone if each in editions)))


def _reported(room: Newsroom, issue: Issue, *, first: bool) -> Reported:
    of_issue = room.reader_reports.by_story(issue.id)
    pages = room.reader_reports.of_no_issue(issue.id.newsletter, *_day_of(room, issue)) if first else Counter[str]()
    countries = {story.id: story.country for story in room.stories.find({*of_issue, *pages} - {""}).values()}
    by_country: Counter[str] = Counter()
    for story, number in (of_issue + pages).items():
        if country := countries.get(story):
            by_country[country] += number
    return Reported(of_issue.total(), pages.total(), by_country)


def _day_of(room: Newsroom, issue: Issue) -> tuple[datetime, datetime]:
    """The issue's date in its newsletter's zone."""
    zone = ZoneInfo("UTC")
    with suppress(PlanError, KeyError):  # of a newsletter that schedule.yaml names no more, nobody knows
        zone = room.plan.newsletters[issue.id.newsletter].timezone
    start = datetime.combine(issue.id.date, time(), zone)
    return start, datetime.combine(issue.id.date + timedelta(days=1), time(), zone)


def _by_country(editions: Mapping[str, int]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for key, number in editions.items():
        counts.update(dict.fromkeys(Edition.parse(key).countries, number))
    return dict(counts.most_common())
