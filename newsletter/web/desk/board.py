"""The morning board: one row for each issue of today, with what stands in its way and a button to approve it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from newsletter.errors import PlanError
from newsletter.model import DRAFTED, OPEN, UNDERWAY, Issue, IssueId
from newsletter.plan import Slot, approval_deadline
from newsletter.web.asking import Ask
from newsletter.web.desk.first_steps import first_steps
from newsletter.web.figures import Checked
from newsletter.web.pages import desk_page, may

__all__ = ["board"]

LONGEST_BACK = timedelta(days=3)
"""What was due earlier and still waits for somebody is found in the list of issues."""


@dataclass(frozen=True, slots=True)
class Row:
    """An issue of today, or the slot that will make one."""

    name: str
    title: str
    zone: ZoneInfo
    due_at: datetime
    deadline: datetime | None
    note: str
    issue: Issue | None
    checked: Checked | None
    stories: int
    readers: int
    before: int | None
    versions: int

    @property
    def more(self) -> int | None:
        """By how many readers it has more than the newsletter's issue before it."""
        return self.readers - self.before if self.before is not None and self.drafted else None

    @property
    def drafted(self) -> bool:
        """Whether there is a draft, whose stories and readers can be counted."""
        return self.issue is not None and self.issue.revision > 0

    @property
    def unsent(self) -> bool:
        """Whether its hour is still to come for it."""
        return self.issue is None or self.issue.state in OPEN

    @property
    def waits(self) -> bool:
        """Whether it is somebody's to approve."""
        return self.issue is not None and self.issue.state in DRAFTED

    @property
    def why_not(self) -> str:
        """What stands in the way of an approval."""
        if self.checked is None or self.checked.trouble:
            return "The checks could not run"
        number = self.checked.blocking
        return f"{number} blocking {'check' if number == 1 else 'checks'}" if number else ""


def board(ask: Ask) -> Response:
    """The issues due today, in each newsletter's own zone, and what else waits; a new desk is told what comes first."""
    if not ask.room.issues.list(limit=1):
        return first_steps(ask)
    rows = sorted(_rows(ask), key=lambda row: (row.due_at, row.name))
    counts = ask.room.stories.count_by_country()
    return desk_page(
        ask,
        "board.html",
        rows=rows,
        waiting=sum(row.waits for row in rows),
        undecided=counts.get(None, 0),
        reports=ask.room.reader_reports.count_open() if may(ask, "report_list") else 0,
        held_notes=sum(1 for _ in ask.room.stories.with_held_note()),
        may_approve=may(ask, "issue_approve"),
        may_file=may(ask, "story_file"),
    )


def _rows(ask: Ask) -> Iterator[Row]:
    known = ask.room.issues.dated_from((ask.now - LONGEST_BACK).date())
    shown = set()
    for slot in _slots(ask):
        issue_id = IssueId(slot.newsletter, slot.date, slot.number)
        shown.add(issue_id)
        yield _row(ask, issue_id, known.get(issue_id), slot)
    for issue_id, issue in known.items():
        today = _today(ask, issue)
        stands = issue.state in OPEN | UNDERWAY and (issue.revision or issue_id.date < today)
        if issue_id not in shown and (issue_id.date == today or stands):
            yield _row(ask, issue_id, issue, None)


def _slots(ask: Ask) -> Iterator[Slot]:
    """Every slot of today, also one that is skipped."""
    try:
        timetable = ask.room.timetable
    except PlanError:
        return
    for newsletter in timetable.plan.newsletters.values():
        today = ask.now.astimezone(newsletter.timezone).date()
        around = timetable.slots_between(newsletter, ask.now - timedelta(days=1), ask.now + timedelta(days=1))
        yield from (slot for slot in around if slot.date == today)


def _today(ask: Ask, issue: Issue) -> date:
    return ask.now.astimezone(ask.zone(issue)).date()


def _row(ask: Ask, issue_id: IssueId, issue: Issue | None, slot: Slot | None) -> Row:
    newsletter = ask.newsletter(issue_id.newsletter)
    zone = newsletter.timezone if newsletter else ZoneInfo("UTC")
    deadline = approval_deadline(slot, newsletter) if slot is not None and newsletter is not None else None
    drafted = issue is not None and issue.revision > 0
    looked_at = issue is not None and drafted and issue.state in DRAFTED
    return Row(
        name=issue_id.newsletter,
        title=newsletter.title if newsletter else issue_id.newsletter,
        zone=zone,
        due_at=issue.due_at if issue is not None else slot.instant if slot is not None else ask.now,
        deadline=deadline,
        note=(issue.reason if issue is not None else slot.note if slot is not None else "") or "",
        issue=issue,
        checked=ask.figures.checked(issue, glance=True) if looked_at and issue is not None else None,
        stories=ask.figures.stories(issue) if issue is not None and drafted else 0,
        readers=ask.figures.readers(issue) if issue is not None else 0,
        before=_readers_before(ask, issue_id) if issue is not None else None,
        versions=len(ask.figures.reaches(issue)) if issue is not None and drafted else 0,
    )


def _readers_before(ask: Ask, issue_id: IssueId) -> int | None:
    """How many the newsletter's issue before this one went to."""
    earlier: Sequence[Issue] = ask.room.issues.list(issue_id.newsletter, limit=8)
    for each in earlier:
        if each.id < issue_id and each.frozen_at is not None:
            return ask.figures.readers(each)
    return None
