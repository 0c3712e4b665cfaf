"""One slot: when, what is unusual about it, what became of its issue, and what may be decided about it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from starlette.responses import Response

from newsletter.errors import NotFoundError
from newsletter.model import EDITABLE, OPEN, Issue
from newsletter.plan import Newsletter, Slot, approval_deadline, build_at, lock_at
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page, may
from newsletter.web.words import city, moment_words

__all__ = ["schedule_slot"]


def schedule_slot(ask: Ask) -> Response:
    """The slot that the address names, or an issue that was made by hand at a time without one."""
    issue_id = ask.issue_id
    newsletter = ask.room.newsletter(issue_id.newsletter)
    timetable = ask.room.timetable
    issue = ask.room.issues.find(issue_id)
    slot = timetable.slot_of(newsletter, issue_id.date, issue_id.number)
    regular = timetable.regular(newsletter, issue_id.date, issue_id.number) is not None and newsletter.enabled
    if issue is None and not regular:
        raise NotFoundError(f"the schedule has no {issue_id}, and nobody has made one")
    waits = issue is None or issue.state in OPEN
    return desk_page(
        ask,
        "schedule_slot.html",
        issue_id=issue_id,
        issue=issue,
        newsletter=newsletter,
        slot=slot,
        at=issue.due_at if issue and not regular else slot.instant,
        facts=list(_facts(newsletter, slot, ask.now)) if slot.due and waits else (),
        address=f"/schedules/{newsletter.name}",
        may_change=may(ask, "schedule_skip"),
        may_stop=regular and waits and slot.due is not None and (issue is not None or slot.instant > ask.now),
        may_move=regular and waits and slot.due is not None,
        may_make=_by_hand(slot, issue, ask.now),
    )


def _facts(newsletter: Newsletter, slot: Slot, now: datetime) -> Iterator[tuple[str, str]]:
    zone = newsletter.timezone
    yield "Draft built", moment_words(build_at(slot, newsletter), zone, now)
    for name, at in (
        ("Content locks", lock_at(slot, newsletter)),
        ("Approval by", approval_deadline(slot, newsletter)),
    ):
        if at is not None:
            yield name, moment_words(at, zone, now)
    yield "Sends", f"{moment_words(slot.instant, zone, now)} {city(zone)}"


def _by_hand(slot: Slot, issue: Issue | None, now: datetime) -> bool:
    """Whether its hour has passed without an issue, so that only a person makes one."""
    if slot.stopped_by is not None or slot.instant > now:
        return False
    return issue is None or (issue.state in EDITABLE and issue.state not in OPEN)
