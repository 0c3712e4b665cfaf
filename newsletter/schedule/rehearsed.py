"""What is told of a rehearsal: each slot as it ended, and what a person should know beside that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.model import DRAFTED, MAKING, DeliveryState, Issue, IssueId, IssueState
from newsletter.newsroom.issue import previews
from newsletter.newsroom.planning.rehearsal import RehearsalRoom
from newsletter.plan import Slot, approval_deadline
from newsletter.storage import Transition

__all__ = ["Rehearsal", "RehearsedIssue", "account", "issue_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedIssue:
    """What became of one slot. `readers` would have got it as it stood; `sent` and `excluded` are those of a send, none
    for an issue that never left. `deadline_missed`: it had a draft that nobody had approved by then."""

    id: IssueId
    due_at: datetime
    built_at: datetime | None
    state: IssueState
    reason: str
    stories: Mapping[str, int]
    editions: int
    readers: int
    sent: int
    excluded: Mapping[str, int]
    deadline_missed: bool

    def as_json(self) -> dict[str, object]:
        """One of the `issues` of `newsletter rehearse --json`."""
        return {
            "issue": str(self.id),
            "newsletter": self.id.newsletter,
            "date": self.id.date.isoformat(),
            "due_at": self.due_at.isoformat(),
            "built_at": self.built_at.isoformat() if self.built_at else None,
            "state": str(self.state),
            "reason": self.reason,
            "stories": dict(self.stories),
            "editions": self.editions,
            "readers": self.readers,
            "sent": self.sent,
            "excluded": dict(self.excluded),
            "deadline_missed": self.deadline_missed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What would have happened: every slot in the order of their instants, and remarks for people."""

    issues: Sequence[RehearsedIssue]
    remarks: Sequence[str]

    @property
    def totals(self) -> dict[str, object]:
        """All issues together."""
        states = [str(issue.state) for issue in self.issues]
        return {
            "issues": len(states),
            "states": {state: states.count(state) for state in dict.fromkeys(states)},
            "stories": sum(sum(issue.stories.values()) for issue in self.issues),
            "sent": sum(issue.sent for issue in self.issues),
            "excluded": sum(sum(issue.excluded.values()) for issue in self.issues),
            "deadlines_missed": sum(issue.deadline_missed for issue in self.issues),
        }

    def as_json(self) -> dict[str, object]:
        """The document of `newsletter rehearse --json`."""
        return {
            "issues": [issue.as_json() for issue in self.issues],
            "totals": self.totals,
            "remarks": list(self.remarks),
        }


def issue_of(slot: Slot) -> IssueId:
    """The issue that a slot is for."""
    return IssueId(slot.newsletter, slot.date, slot.number)


def account(room: RehearsalRoom, slots: Sequence[Slot], faults: Mapping[IssueId, str]) -> Rehearsal:
    """The account of these slots; `faults` says what spoke against approving an issue."""
    seen = [_seen(room, slot, faults) for slot in slots]
    return Rehearsal(issues=seen, remarks=list(_remarks(room, seen)))


def _seen(room: RehearsalRoom, slot: Slot, faults: Mapping[IssueId, str]) -> RehearsedIssue:
    issue = room.issues.find(issue_of(slot)) or Issue(
        id=issue_of(slot), state=IssueState.PLANNED, reason="it was never built", due_at=slot.instant
    )
    history = room.issues.history(issue.id)
    drafted = issue.snapshot is not None
    room.set_clock(slot.instant)
    books = room.issues.books(issue.id) if issue.frozen_at else None
    reach = [each for each in previews.editions(room, issue) if each.readers] if drafted else []
    reason = issue.reason
    if issue.state in DRAFTED and issue.id in faults:
        reason = faults[issue.id]
    return RehearsedIssue(
        id=issue.id,
        due_at=issue.due_at,
        built_at=_built_at(history) if drafted else None,
        state=issue.state,
        reason=reason,
        stories=_stories(issue),
        editions=len(reach),
        readers=sum(books.deliveries.values()) if books else sum(each.readers for each in reach),
        sent=books.deliveries[DeliveryState.SUBMITTED] if books else 0,
        excluded={why: number for why, number in books.excluded.items() if number} if books else {},
        deadline_missed=drafted and _missed(room, slot, history),
    )


def _stories(issue: Issue) -> dict[str, int]:
    sections = issue.snapshot.sections if issue.snapshot else ()
    return {section.country: len(section.stories) for section in sections if section.stories}


def _built_at(history: Sequence[Transition]) -> datetime | None:
    return next((step.at for step in history if step.after not in MAKING), None)


def _missed(room: RehearsalRoom, slot: Slot, history: Sequence[Transition]) -> bool:
    newsletter = room.plan.newsletters[slot.newsletter]
    deadline = approval_deadline(slot, newsletter) or slot.instant
    before = [step.after for step in history if step.at < deadline]
    return bool(before) and before[-1] in DRAFTED


def _remarks(room: RehearsalRoom, seen: Sequence[RehearsedIssue]) -> Iterator[str]:
    """Why there is less to see than a person may have expected."""
    span = room.span_of_stories
    if span is None:
        yield "No stories are known: this shows the schedule's side alone."
        return
    first, last = span
    after = [issue for issue in seen if not issue.stories and issue.due_at > last]
    before = [issue for issue in seen if not issue.stories and issue.due_at < first]
    for found, side, moment in ((after, "after", last), (before, "before", first)):
        if found:
            yield (
                f"No stories are known for {_dates(found)}: the desk has none from {side} {moment:%Y-%m-%d %H:%M} UTC."
                f" Rehearse dates from {first:%Y-%m-%d} to {last:%Y-%m-%d} to see what they carry."
            )


def _dates(found: Sequence[RehearsedIssue]) -> str:
    dates = sorted({issue.id.date for issue in found})
    return f"{dates[0]}" if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
