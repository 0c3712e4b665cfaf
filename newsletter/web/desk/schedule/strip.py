"""The strip of days: what each newsletter did on the last ones, and what it has before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from newsletter.model import Issue, IssueId, IssueState
from newsletter.plan import Newsletter, Slot, Timetable
from newsletter.web.words import STATE_WORDS

__all__ = ["KINDS", "Day", "Dot", "days_around", "strip_of"]

AHEAD, BACK = 14, 3
"""Days from today on, and before it."""

_DAY = timedelta(days=1)

KINDS = {
    "due": "due",
    "noted": "due, and unusual",
    "open": "being made or sent",
    "sent": "handed to the mail server",
    "skipped": "skipped",
    "failed": "missed, failed or stopped",
}
"""The marks of the strip, with what they stand for."""

_BY_STATE = {
    IssueState.BUILDING: "open",
    IssueState.REVIEW: "open",
    IssueState.WAITING: "open",
    IssueState.APPROVED: "open",
    IssueState.SENDING: "open",
    IssueState.SUBMITTED: "sent",
    IssueState.SKIPPED: "skipped",
    IssueState.CANCELLED: "skipped",
    IssueState.MISSED: "failed",
    IssueState.FAILED: "failed",
    IssueState.STOPPED: "failed",
}


@dataclass(frozen=True, slots=True)
class Dot:
    """One slot, or an issue made by hand: where it leads, its local time, its mark, and that in words."""

    issue_id: IssueId
    at: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Day:
    """One local date of a newsletter; `change` says by how much the clocks change on it."""

    date: date
    dots: tuple[Dot, ...]
    change: str
    today: bool


def days_around(newsletters: Iterable[Newsletter], now: datetime) -> list[date]:
    """The dates of the strip: around every today that the newsletters' zones have at this moment."""
    todays = {newsletter.timezone.key: now.astimezone(newsletter.timezone).date() for newsletter in newsletters}
    first, last = min(todays.values()) - BACK * _DAY, max(todays.values()) + (AHEAD - 1) * _DAY
    return [first + offset * _DAY for offset in range((last - first).days + 1)]


def strip_of(
    timetable: Timetable,
    newsletter: Newsletter,
    issues: Mapping[IssueId, Issue],
    days: Sequence[date],
    now: datetime,
) -> tuple[Day, ...]:
    """Those days of one newsletter; `issues` are those of these dates, of whatever newsletter."""
    today = now.astimezone(newsletter.timezone).date()
    dots: dict[date, list[tuple[datetime, Dot]]] = {day: [] for day in days}
    for instant, dot in _dots(timetable, newsletter, issues, days, now):
        dots[dot.issue_id.date].append((instant, dot))
    return tuple(
        Day(
            day,
            tuple(dot for _, dot in sorted(dots[day], key=lambda each: each[0])),
            _change(newsletter, day),
            day == today,
        )
        for day in days
    )


def _dots(
    timetable: Timetable,
    newsletter: Newsletter,
    issues: Mapping[IssueId, Issue],
    days: Sequence[date],
    now: datetime,
) -> Iterator[tuple[datetime, Dot]]:
    start, end = (datetime.combine(day, time(), newsletter.timezone) for day in (days[0], days[-1] + _DAY))
    seen = set()
    for slot in timetable.slots_between(newsletter, start - _DAY, end + _DAY):
        issue_id = IssueId(slot.newsletter, slot.date, slot.number)
        issue = issues.get(issue_id)
        if days[0] <= slot.date <= days[-1] and (issue is not None or slot.instant >= now):
            seen.add(issue_id)
            yield slot.instant, _dot(newsletter, issue_id, slot.instant, slot, issue)
    for issue in issues.values():
        mine = issue.id.newsletter == newsletter.name and days[0] <= issue.id.date <= days[-1]
        if mine and issue.id not in seen:
            yield issue.due_at, _dot(newsletter, issue.id, issue.due_at, None, issue)


def _dot(newsletter: Newsletter, issue_id: IssueId, instant: datetime, slot: Slot | None, issue: Issue | None) -> Dot:
    at = f"{instant.astimezone(newsletter.timezone):%H:%M}"
    note = slot.note if slot and slot.note else ""
    kind = _BY_STATE.get(issue.state) if issue else None
    if kind is not None and issue is not None:
        words = STATE_WORDS[issue.state] + (f": {issue.reason}" if issue.reason else "")
    elif slot is not None and slot.due is None:
        kind, words = "skipped", note
    else:
        kind, words = ("noted", note) if note else ("due", "due")
    return Dot(issue_id, at, kind, words)


def _change(newsletter: Newsletter, day: date) -> str:
    """By how much the clocks of the newsletter's zone are put forward (+) or back on that date; mostly not at all."""
    midnights = (datetime.combine(each, time(), newsletter.timezone) for each in (day, day + _DAY))
    before, after = (midnight.utcoffset() or timedelta() for midnight in midnights)
    minutes = round((after - before).total_seconds() / 60)
    if not minutes:
        return ""
    length = f"{abs(minutes) // 60} h" if minutes % 60 == 0 else f"{abs(minutes)} min"
    return f"{'+' if minutes > 0 else '−'}{length}"
