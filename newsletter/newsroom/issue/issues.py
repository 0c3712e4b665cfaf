"""What is done with an issue before it is sent: build and approve."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

from newsletter import compose
from newsletter.compose import arranging
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import (
    DRAFTED,
    EDITABLE,
    UNSENT,
    Issue,
    IssueId,
    IssueState,
    Severity,
    Snapshot,
    Story,
    StoryStatus,
)
from newsletter.newsroom.intake import related
from newsletter.newsroom.intake.copies import told_apart
from newsletter.newsroom.issue import preflight
from newsletter.newsroom.issue.retelling import retold
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import Window, compose_issue, window_of
from newsletter.plan import EVERY, ApprovalMode, Newsletter, OnFew, Slot, quiet_until

__all__ = [
    "AUTO",
    "CLOCK",
    "alone",
    "approve",
    "build",
    "composed",
    "judge",
    "place",
    "ready",
    "store",
    "window",
]

CLOCK = "clock"
"""Who does what the schedule says."""

AUTO = "auto"
"""Who approves where schedule.yaml says `approval: {mode: auto}`."""

YEARS = range(1990, 2200)

_PATIENCE, _PATIENCE_FOR_APPROVAL, _LOOK = 3.0, 30.0, 0.05
"""Seconds that a change waits for another one to be stored, an approval for another one, and between two tries."""

SECOND_THOUGHTS = timedelta(seconds=60)
"""How long an issue that is approved after its hour waits, by itself, for an undo."""


def build(
    room: Newsroom,
    name: str,
    day: date | None = None,
    *,
    number: int = 1,
    extra: bool = False,
    who: str = "editor",
) -> Issue:
    """Make or refresh the draft of a newsletter's issue of that local date (today's by default).

    The same stories again leave the draft, and an approval of it, as they are. Raises `NothingToDoError` when
    the issue is on its way or out already, and `ChecksFailedError` while it is paused or skipped by a person.
    """
    newsletter = room.newsletter(name)
    now = room.clock.now()
    day = day or now.astimezone(newsletter.timezone).date()
    if day.year not in YEARS:
        raise InputError(f"{day} is no date that a newsletter appears on")
    if extra:
        slot = _slot(room, newsletter, IssueId(name, day, EVERY))
        number = room.issues.plan_another(name, day, slot.instant, now, who).id.number
    issue_id = IssueId(name, day, number)
    with room.database.hold(f"build {issue_id}") as held:
        if not held:
            raise NothingToDoError(f"{issue_id} is being built by another process at this moment")
        issue = room.issues.plan(issue_id, _slot(room, newsletter, issue_id).instant, now, who)
        if issue.state not in EDITABLE:
            raise _settled(issue)
        if issue.frozen_at is not None:
            raise NothingToDoError(f"{issue_id} has reached readers; `newsletter issue correct` changes its rest")
        return _compose_draft(room, newsletter, issue, now, who)


def _slot(room: Newsroom, newsletter: Newsletter, issue_id: IssueId) -> Slot:
    """The slot of an issue that is to be made; raises `ChecksFailedError` where a person has stopped it."""
    slot = room.timetable.slot_of(newsletter, issue_id.date, issue_id.number)
    if slot.stopped_by is not None:
        raise ChecksFailedError(f"{issue_id} is {slot.note}; `newsletter schedule overlays` tells how that ends")
    return slot


def approve(room: Newsroom, issue_id: IssueId, by: str, revision: int | None = None) -> Issue:
    """Seal the bytes of the present draft; raises `ChecksFailedError` when a check blocks, or when the draft is not
    the `revision` that `by` looked at.

    Where schedule.yaml asks for two approvals, the first is written down and the issue stays in review until
    somebody else approves the same revision; where it asks for `other_than_editor`, whoever changed the draft last
    leaves it to others. A further approval is a `NothingToDoError` that says who was first.
    """
    issue = room.issues.get(issue_id)
    newsletter = room.newsletter(issue_id.newsletter)
    if revision is not None and revision != issue.revision:
        raise ChecksFailedError(
            f"{issue_id} has changed: revision {revision} was looked at, it has {issue.revision} now"
        )
    if issue.approved_by:
        raise NothingToDoError(f"{issue_id} was approved by {issue.approved_by} at {issue.approved_at:%H:%M} UTC")
    if issue.state not in DRAFTED:
        raise ChecksFailedError(f"{issue_id} is {issue.state}; only an issue in review or waiting can be approved")
    if newsletter.approval.other_than_editor and _same(issue.edited_by, by):
        raise ChecksFailedError(
            f"{by} changed {issue_id} last, so its approval is somebody else's (approval.other_than_editor)"
        )
    # One at a time, also of those whose stories it may not tell again: of two drafts that tell one story the second is
    # then seen to tell it again. In order, so that no two wait for each other.
    with ExitStack() as alone:
        for name in sorted({newsletter.name, *newsletter.not_again_from}):
            busy = f"another issue of {name} is being approved at this moment; try again"
            alone.enter_context(_waiting(room, f"approve {name}", busy, _PATIENCE_FOR_APPROVAL))
        return _sealed(room, newsletter, issue, by)


def _sealed(room: Newsroom, newsletter: Newsletter, issue: Issue, by: str) -> Issue:
    issue_id = issue.id
    findings, rendered = preflight.examine(room, issue)
    if blocking := [finding for finding in findings if finding.severity is Severity.BLOCKING]:
        raise ChecksFailedError(
            f"{issue_id} cannot be approved:\n" + "\n".join(f"  {f.place}: {f.message}" for f in blocking)
        )
    now = room.clock.now()
    if newsletter.approval.approvals > 1 and newsletter.approval.mode is ApprovalMode.MANUAL:
        if _same(issue.first_approved_by, by):
            raise NothingToDoError(f"{by} has approved {issue_id} already; the second approval is somebody else's")
        if issue.first_approved_by is None:
            if not room.seals.approve_first(issue_id, issue.revision, by, now):
                raise _changed(issue_id)
            return room.issues.get(issue_id)
    # Whoever approves what is due already gets a moment to think better of it; a machine does not.
    person = by != AUTO and not by.startswith(f"{CLOCK},")
    not_before = now + SECOND_THOUGHTS if person and now >= issue.due_at else None
    if issue.snapshot is not None and issue.snapshot.breaking:
        not_before = quiet_until(newsletter, not_before or now) or not_before
    if not room.seals.seal(issue_id, issue.revision, rendered, by, now, not_before=not_before):
        raise _changed(issue_id)
    return room.issues.get(issue_id)


def _same(one: str | None, other: str) -> bool:
    """Whether two names are one person's; addresses are written in capitals now and then."""
    return one is not None and one.casefold() == other.casefold()


def _changed(issue_id: IssueId) -> ChecksFailedError:
    return ChecksFailedError(f"{issue_id} changed while it was being approved; look at it again")


def _settled(issue: Issue) -> NothingToDoError:
    return NothingToDoError(f"{issue.id} is {issue.state}: its content is settled; --extra makes a second issue")


def composed(
    room: Newsroom, newsletter: Newsletter, issue_id: IssueId, now: datetime, due_at: datetime, relate: compose.Relate
) -> Snapshot:
    """What the issue would say if it were built at `now`; nothing is stored."""
    return compose_issue(newsletter, issue_id, window(room, newsletter, issue_id, now, due_at), relate)


def window(room: Newsroom, newsletter: Newsletter, issue_id: IssueId, now: datetime, due_at: datetime) -> Window:
    """What an issue that is due then may be composed of at `now`."""
    return window_of(
        newsletter,
        issue_id,
        stories=room.stories,
        contents=room.contents,
        priority={source.id: source.priority for source in room.plan.sources.values()},
        apart=partial(told_apart, room),
        now=now,
        due_at=due_at,
    )


def place(room: Newsroom, newsletter: Newsletter, issue: Issue) -> arranging.Place:
    """How the stories of that issue stand in it."""
    moment = max(room.clock.now(), issue.due_at)
    return partial(compose.placing, relate=partial(related.offers, room), now=moment, limit=newsletter.related)


def _compose_draft(room: Newsroom, newsletter: Newsletter, issue: Issue, now: datetime, who: str) -> Issue:
    snapshot = composed(room, newsletter, issue.id, now, issue.due_at, partial(related.offers, room))
    window_end = now
    if (old := issue.snapshot) is not None:
        if old.arranged:
            # What came in since waits for the editor, and if nobody takes it in, for the next issue.
            present = ready(room, [placed.story.id for placed in old.placed])
            snapshot = arranging.kept(snapshot, old, present, place(room, newsletter, issue), newsletter.countries)
            window_end = issue.window_end or now
        snapshot = replace(snapshot, subject=old.subject, preheader=old.preheader, word=old.word)
        if old.lead_chosen and any(placed.story.id == old.lead for placed in snapshot.placed):
            snapshot = replace(snapshot, lead=old.lead, lead_chosen=True)
    snapshot = retold(room, newsletter, issue, snapshot)
    if snapshot == issue.snapshot and issue.state in UNSENT:
        return issue
    # What a person took back or changed is theirs to let out; so is what a person makes after its hour.
    fresh = room.seals.sealed_revision(issue.id) is None and not snapshot.arranged
    by_itself = who == CLOCK or (fresh and now < issue.due_at)
    return store(room, newsletter, issue, snapshot, window_end=window_end, who=who, approves_itself=by_itself)


@contextmanager
def alone(room: Newsroom, issue_id: IssueId) -> Iterator[None]:
    """Change the issue for the length of the block; who comes at the same moment waits a little.

    Raises `NothingToDoError` while somebody builds it for longer.
    """
    busy = f"{issue_id} is being built by another process at this moment; try again"
    with _waiting(room, f"build {issue_id}", busy, _PATIENCE):
        yield


@contextmanager
def _waiting(room: Newsroom, lock: str, busy: str, patience: float) -> Iterator[None]:
    until = time.monotonic() + patience
    while True:
        with room.database.hold(lock) as held:
            if held:
                yield
                return
        if time.monotonic() > until:
            raise NothingToDoError(busy)
        time.sleep(_LOOK)


def ready(room: Newsroom, story_ids: Collection[str]) -> Mapping[str, Story]:
    """Those of the stories that may be told, as they stand now."""
    statuses = room.stories.statuses(story_ids)
    return {
        name: story
        for name, story in room.stories.find(story_ids).items()
        if statuses.get(name, story.status) is StoryStatus.READY
    }


def store(
    room: Newsroom,
    newsletter: Newsletter,
    issue: Issue,
    snapshot: Snapshot,
    *,
    window_end: datetime | None,
    who: str,
    what: str = "",
    approves_itself: bool = False,
) -> Issue:
    """A new draft of the issue, judged by what schedule.yaml says of few stories and, where it `approves_itself`, of
    approval.

    `what` is what was done, in a word or two.

    Raises `NothingToDoError` for an issue that is on its way.
    """
    state, why = judge(newsletter, snapshot)
    now = room.clock.now()
    by = None if who == CLOCK else who
    if by is not None and state is IssueState.SKIPPED:
        state = IssueState.WAITING  # a day is skipped by the schedule or by who says so, never by the way
    stored = room.issues.store_draft(
        issue.id, snapshot, state, window_end=window_end, now=now, who=who, why=why, what=what, edited_by=by
    )
    if stored is None:
        raise _settled(room.issues.get(issue.id))
    issue = stored
    if state is IssueState.REVIEW and newsletter.approval.mode is ApprovalMode.AUTO and approves_itself:
        try:
            return approve(room, issue.id, AUTO)
        except ChecksFailedError as error:
            room.issues.move(issue.id, (IssueState.REVIEW,), IssueState.WAITING, now=now, who=who, why=str(error))
            return room.issues.get(issue.id)
    return issue


def judge(newsletter: Newsletter, snapshot: Snapshot) -> tuple[IssueState, str]:
    """What becomes of a new draft by the number of its stories, and why."""
    count, least = len(snapshot.placed), newsletter.stories.min
    if snapshot.faulty is not None or snapshot.breaking:
        return IssueState.REVIEW, ""
    if count == 0:
        return IssueState.WAITING, "no story for it yet"
    if count >= least or newsletter.stories.on_few is OnFew.SHORT:
        return IssueState.REVIEW, ""
    why = f"too few stories: {count} of at least {least}"
    return (IssueState.SKIPPED if newsletter.stories.on_few is OnFew.SKIP else IssueState.WAITING), why
