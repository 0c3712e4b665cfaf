"""One issue's way through the desk's day: begun at its hour, finished or pressed for, missed or given up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from newsletter.errors import ChecksFailedError, NewsletterError, NothingToDoError, StorageError
from newsletter.model import DRAFTED, MAKING, Issue, IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.newsroom.planning.following import by_hand, follow
from newsletter.plan import (
    ApprovalMode,
    Newsletter,
    OnTimeout,
    Slot,
    SourcePlan,
    Timetable,
    approval_deadline,
    build_at,
    lock_at,
)

__all__ = ["SENDER", "advance", "end_abandoned", "gather_from", "missed", "missed_by_nobody"]

log = logging.getLogger("newsletter.schedule")

WHO = issues.CLOCK
SENDER = "sender"
"""Who holds an issue back at the last moment."""

_LONGEST_MAKING = timedelta(hours=1)
"""So long after it was begun by hand nobody is still making an issue."""

_LEAST_CATCH_UP = timedelta(minutes=1)
"""So late may any issue be: one that is to run at once is found at the next tick."""


def advance(
    room: Newsroom, timetable: Timetable, newsletter: Newsletter, slot: Slot, issue: Issue | None, now: datetime
) -> None:
    """Take the next step of a slot; `issue`, without its snapshot, is as it was when the tick began: others may have
    been at it since, so that a step asks for the state it starts from."""
    if build_at(slot, newsletter) > now:
        return
    issue_id = IssueId(slot.newsletter, slot.date, slot.number)
    issue = issue or room.issues.find(issue_id)
    if issue is not None and issue.frozen_at is not None:
        return  # what has reached readers is for people to end
    if issue is not None and follow(room, timetable, issue, now):
        issue = room.issues.get(issue_id)
    if issue is None or issue.state in MAKING:
        _begin(room, newsletter, slot, now)
    elif issue.state in DRAFTED:
        if not _finish(room, newsletter, slot, issue, now):
            _press(room, newsletter, slot, issue, now)
    elif issue.state is IssueState.APPROVED and missed(newsletter, room.issues.get(issue_id), now):
        because = issue.reason or f"the desk was down until {now:%Y-%m-%d %H:%M} UTC"
        why = f"approved and not sent: {because}; {by_hand(issue_id)} makes it late"
        room.issues.move(issue_id, (IssueState.APPROVED,), IssueState.MISSED, now=now, who=WHO, why=why)


def missed_by_nobody(
    newsletter: Newsletter, slot: Slot, first_due: Callable[[str], datetime | None], now: datetime
) -> bool:
    """Whether a slot that has passed without an issue was due before the newsletter's first one."""
    if now <= _last_moment(newsletter, slot):
        return False
    earliest = first_due(newsletter.name)
    return earliest is None or slot.instant < earliest


def end_abandoned(room: Newsroom, timetable: Timetable, issue: Issue, now: datetime) -> None:
    """Say of an issue that no slot asks for, and whose maker was killed over it, that it came to nothing."""
    newsletter = timetable.plan.newsletters.get(issue.id.newsletter)
    if issue.state not in MAKING or newsletter is None:
        return
    if timetable.regular(newsletter, issue.id.date, issue.id.number) is not None:
        return
    if now > room.issues.history(issue.id)[-1].at + _LONGEST_MAKING:
        why = "whoever began to make it did not come to an end; what it was to say can be made anew"
        room.issues.move(issue.id, MAKING, IssueState.FAILED, now=now, who=WHO, why=why)


def _last_moment(newsletter: Newsletter, slot: Slot) -> datetime:
    """Until when an issue may still run late."""
    return slot.instant + max(newsletter.catch_up.within, _LEAST_CATCH_UP)


def _begin(room: Newsroom, newsletter: Newsletter, slot: Slot, now: datetime) -> None:
    """Build the draft of a slot; or record why there will be none."""
    issue_id = IssueId(slot.newsletter, slot.date, slot.number)
    late = now > _last_moment(newsletter, slot)
    room.issues.plan(issue_id, slot.instant, now, WHO)
    if slot.due is None:
        room.issues.move(issue_id, MAKING, IssueState.SKIPPED, now=now, who=WHO, why=_reason(slot))
        return
    if late:
        why = f"the desk was down until {now:%Y-%m-%d %H:%M} UTC; {by_hand(issue_id)} makes it late"
        room.issues.move(issue_id, MAKING, IssueState.MISSED, now=now, who=WHO, why=why)
        return
    with room.database.hold(f"gather for {issue_id}") as first:
        if not first:
            return
        if room.issues.get(issue_id).state not in MAKING:
            return
        gather_from(room, gathering.polled_sources(room))
        try:
            built = issues.build(room, newsletter.name, slot.date, number=slot.number, who=WHO)
        except (NothingToDoError, StorageError):
            raise  # the next tick tries again
        except NewsletterError as error:
            room.issues.move(issue_id, MAKING, IssueState.FAILED, now=now, who=WHO, why=str(error))
            raise
    log.info("%s built: %s %s", issue_id, built.state, built.reason)


def _finish(room: Newsroom, newsletter: Newsletter, slot: Slot, issue: Issue, now: datetime) -> bool:
    """Whether the schedule says `auto` and this is a draft that nobody but the clock made: it is approved by whoever
    built it, or here, where that one was killed before it came to that."""
    if newsletter.approval.mode is not ApprovalMode.AUTO:
        return False
    if issue.state is IssueState.WAITING:
        return _build_anew(room, newsletter, slot, issue, now)
    with room.database.hold(f"build {issue.id}") as held:
        if not held:
            return True
        last = room.issues.history(issue.id)[-1]
        if last.after is not IssueState.REVIEW or last.who != WHO:
            return last.after is not IssueState.REVIEW  # it went on meanwhile; or a person took it back
        try:
            issues.approve(room, issue.id, issues.AUTO)
        except ChecksFailedError as error:
            room.issues.move(issue.id, (IssueState.REVIEW,), IssueState.WAITING, now=now, who=WHO, why=str(error))
        return True


def _build_anew(room: Newsroom, newsletter: Newsletter, slot: Slot, issue: Issue, now: datetime) -> bool:
    """Whether the sender held back what only a machine had approved, since a story is another one by now, and nothing
    keeps the clock from building it once more."""
    if issue.id.number > 1 or _locked(slot, newsletter, now) or now > _last_moment(newsletter, slot):
        return False
    *_, before, last = room.issues.history(issue.id)
    if last.who != SENDER or before.who != issues.AUTO:
        return False
    rebuilt = issues.build(room, newsletter.name, slot.date, who=WHO)
    if rebuilt.revision == issue.revision:  # that was not the reason: once is enough
        room.issues.move(issue.id, (issue.state,), issue.state, now=now, who=WHO, why=issue.reason)
    return True


def _press(room: Newsroom, newsletter: Newsletter, slot: Slot, issue: Issue, now: datetime) -> None:
    """What the schedule says of a draft whose approval deadline has passed."""
    deadline = approval_deadline(slot, newsletter) or slot.instant
    if now < deadline or now > slot.instant + newsletter.catch_up.within:
        return  # what is made by hand after its hour waits for the hand that made it
    last = room.issues.history(issue.id)[-1]
    if last.at >= deadline and last.who != WHO:
        return  # and so does what somebody took back, changed or held up when the deadline had passed
    taken_back = room.seals.sealed_revision(issue.id) == issue.revision  # it was approved as it stands, and undone
    passed = f"not approved by {deadline.astimezone(newsletter.timezone):%H:%M}"
    match newsletter.approval.on_timeout:
        case OnTimeout.SKIP:
            room.issues.move(issue.id, (issue.state,), IssueState.SKIPPED, now=now, who=WHO, why=passed)
        case OnTimeout.SEND if (
            issue.state is IssueState.REVIEW and newsletter.approval.approvals == 1 and not taken_back
        ):
            try:
                _approve(room, issue, f"{WHO}, {passed}", locked=_locked(slot, newsletter, now))
            except ChecksFailedError as error:
                why = f"{passed}; {error}"
                room.issues.move(issue.id, (IssueState.REVIEW,), IssueState.WAITING, now=now, who=WHO, why=why)
        case _ if issue.state is IssueState.REVIEW:
            room.issues.move(issue.id, (IssueState.REVIEW,), IssueState.WAITING, now=now, who=WHO, why=passed)
            log.warning("%s waits: %s", issue.id, passed)


def _locked(slot: Slot, newsletter: Newsletter, now: datetime) -> bool:
    """Whether nothing of the issue changes by itself any more."""
    lock = lock_at(slot, newsletter)
    return lock is not None and lock <= now


def _approve(room: Newsroom, issue: Issue, by: str, *, locked: bool) -> None:
    """Approve the draft, or when something speaks against it (a story has changed), the draft as it is built anew.

    From the lock on it stays as it is: what speaks against it is for a person to mend.
    """
    try:
        issues.approve(room, issue.id, by)
    except ChecksFailedError:
        if issue.id.number > 1 or locked:
            raise  # an extra issue is made by hand
        rebuilt = issues.build(room, issue.id.newsletter, issue.id.date, who=WHO)
        if rebuilt.state is not IssueState.REVIEW or rebuilt.revision == issue.revision:
            raise
        issues.approve(room, issue.id, by)


def missed(newsletter: Newsletter, issue: Issue, now: datetime) -> bool:
    """Whether it is too late for an approved issue; one approved after its hour is never too late."""
    approved_late = issue.approved_at is not None and issue.approved_at >= issue.due_at
    return now > issue.due_at + newsletter.catch_up.within and not approved_late


def _reason(slot: Slot) -> str:
    return (slot.note or "").removeprefix("skipped: ")


def gather_from(room: Newsroom, sources: Sequence[SourcePlan]) -> None:
    """Gather from these sources, and say in the log what came of it."""
    for polled in gathering.gather_all(room, sources):
        if polled.error:
            log.warning("%s", polled.error)
        elif polled.gathered and not polled.gathered.unchanged:
            log.info("%s: %s new", polled.source, polled.gathered.ingested.new)
