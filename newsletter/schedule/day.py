"""The desk's day: at each waking, whatever is due takes its next step.

The memory is the issue table, never the clock: any number of processes may wake at any time, and every step is
a compare-and-set or is guarded by a lock that dies with its owner.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache

from newsletter.errors import ChecksFailedError, NewsletterError, NothingToDoError, StorageError
from newsletter.model import DRAFTED, MAKING, OPEN, Issue, IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.dispatch.pacing import priority_of
from newsletter.newsroom.intake import gathering, notes, related
from newsletter.newsroom.issue import issues
from newsletter.newsroom.planning.following import by_hand, follow
from newsletter.newsroom.readership import bouncing, imports, mailboxes, pruning, replaying
from newsletter.plan import ApprovalMode, Newsletter, OnTimeout, Slot, Timetable, approval_deadline, build_at, lock_at

__all__ = [
    "FAR_BACK",
    "LOOK_BACK",
    "SENDER",
    "draft",
    "due_issues",
    "next_waking",
    "poll",
    "priority",
    "prune",
    "take_back",
    "tick",
]

log = logging.getLogger("newsletter.schedule")

LOOK_BACK, FAR_BACK = timedelta(days=7), timedelta(days=30)
"""How long ago a slot may have been that nobody has recorded yet: at each tick, and after the clock has stood still.
Overlays are known for a month."""

LOOK_AHEAD = timedelta(days=8)
WHO = issues.CLOCK
SENDER = "sender"
"""Who holds an issue back at the last moment."""

_LONGEST_MAKING = timedelta(hours=1)
"""So long after it was begun by hand nobody is still making an issue."""

LEAST_CATCH_UP = timedelta(minutes=1)
"""So late may any issue be: one that is to run at once is found at the next tick."""

SKEW = timedelta(minutes=1)
"""By how much the clocks of a desk's hosts may differ."""

DRAFTS_AT_ONCE = 5

AT_ONCE = 1_000
"""Of how many stories related reading is computed between two polls; what waits longer is computed after the next."""


def tick(room: Newsroom, back: timedelta = LOOK_BACK) -> None:
    """Take every step that is due at this moment, of slots down to `back` ago; a fault in one newsletter never keeps
    another waiting."""
    now = room.clock.now()
    timetable = room.timetable
    _show_fault(room)
    replaying.catch_up(room)
    known = room.issues.dated_from((now - back).date() - timedelta(days=1))
    _see_through_the_clock(room, known.values(), now)
    first_due = cache(room.issues.first_due)
    advanced = set()
    for newsletter in timetable.plan.newsletters.values():
        until = now + newsletter.stories.lead + timedelta(seconds=1)
        for slot in timetable.slots_between(newsletter, now - back, until):
            issue_id = IssueId(slot.newsletter, slot.date, slot.number)
            advanced.add(issue_id)
            try:
                issue = known.get(issue_id)
                if issue is None and _missed_by_nobody(newsletter, slot, first_due, now):
                    continue
                _advance(room, timetable, newsletter, slot, issue, now)
            except NothingToDoError as error:
                log.debug("%s", error)
            except NewsletterError as error:
                log.warning("%s/%s: %s", newsletter.name, slot.date, error)
            except Exception:
                log.exception("%s/%s failed", newsletter.name, slot.date)
    for issue in room.issues.in_state(*OPEN):  # a draft may be there long before its hour
        if issue.id not in advanced:
            if said := follow(room, timetable, issue, now):
                log.info("%s", said)
            _end_abandoned(room, timetable, issue, now)
    imports.sweep(room)


def poll(room: Newsroom) -> None:
    """Gather from every source whose turn it is."""
    for polled in gathering.gather_all(room, gathering.due_sources(room, room.clock.now())):
        _log_poll(polled)
    related.keep_up(room, at_most=AT_ONCE)


def draft(room: Newsroom) -> None:
    """Draft notes for the stories that have none, where the desk has an endpoint for it; no issue waits for them."""
    if room.settings.summary_url is None:
        return
    try:
        for drafted in notes.draft_notes(room, notes.waiting(room)[:DRAFTS_AT_ONCE]):
            log.info("%s: %s", drafted.story, drafted.reason or "note drafted, waits for an editor")
    except NothingToDoError as error:
        log.debug("%s", error)


def take_back(room: Newsroom) -> None:
    """Read what came back of messages, and let people be whose pause is over."""
    if not room.settings.rehearsal:
        bouncing.awake(room)
    reading = mailboxes.poll(room)
    if reading is not None and reading.messages:
        fates = ", ".join(f"{number} {fate}" for fate, number in reading.fates.most_common())
        log.info("bounces: %s messages, %s", reading.messages, fates)


def prune(room: Newsroom) -> None:
    """Take away what is too old to be kept; one host of the desk at a time, and never by a clock that somebody set."""
    if room.settings.rehearsal or room.clock.rehearsing:
        return
    with room.database.hold("prune") as first:
        gone = [each for each in pruning.prune(room) if each.number] if first else []
    if gone:
        log.info("pruned: %s", ", ".join(f"{each.number} {each.what}" for each in gone))


def due_issues(room: Newsroom) -> list[IssueId]:
    """The issues that have mail to carry now: the most urgent first, then the earliest due."""
    now = room.clock.now()
    timetable = room.timetable
    found = []
    for issue in room.issues.in_state(IssueState.APPROVED, IssueState.SENDING):
        newsletter = timetable.plan.newsletters.get(issue.id.newsletter)
        if issue.state is IssueState.SENDING:
            if sending.has_work(room, issue, now):
                found.append(issue.id)
        elif issue.not_before is not None and issue.not_before > now:
            continue  # also the rest of one that was corrected
        elif issue.frozen_at is not None or (
            newsletter is not None
            and newsletter.enabled
            and issue.due_at <= now
            and not _waits(timetable, newsletter, issue, now)
            and not _missed(newsletter, issue, now)
        ):
            found.append(issue.id)
    return sorted(found, key=lambda issue_id: -priority(room, issue_id))


def priority(room: Newsroom, issue_id: IssueId) -> int:
    """How urgent an issue is; see `pacing.priority_of`."""
    return priority_of(room, room.issues.get(issue_id))


def next_waking(room: Newsroom) -> datetime | None:
    """The next instant at which something falls due, so that nothing waits for a tick."""
    now = room.clock.now()
    timetable = room.timetable
    instants = []
    for newsletter in timetable.plan.newsletters.values():
        for slot in timetable.slots_between(newsletter, now, now + LOOK_AHEAD):
            instants += [slot.instant, build_at(slot, newsletter)]
            if (deadline := approval_deadline(slot, newsletter)) is not None:
                instants.append(deadline)
    for issue in room.issues.in_state(IssueState.SENDING):
        if (due := room.deliveries.next_due(issue.id)) is not None:  # a wave, or a next try
            instants.append(due)
    return min((instant for instant in instants if instant > now), default=None)


def _advance(
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
    elif issue.state is IssueState.APPROVED and _missed(newsletter, room.issues.get(issue_id), now):
        because = issue.reason or f"the desk was down until {now:%Y-%m-%d %H:%M} UTC"
        why = f"approved and not sent: {because}; {by_hand(issue_id)} makes it late"
        room.issues.move(issue_id, (IssueState.APPROVED,), IssueState.MISSED, now=now, who=WHO, why=why)


def _missed_by_nobody(
    newsletter: Newsletter, slot: Slot, first_due: Callable[[str], datetime | None], now: datetime
) -> bool:
    """Whether a slot that has passed without an issue was due before the newsletter's first one."""
    if now <= _last_moment(newsletter, slot):
        return False
    earliest = first_due(newsletter.name)
    return earliest is None or slot.instant < earliest


def _end_abandoned(room: Newsroom, timetable: Timetable, issue: Issue, now: datetime) -> None:
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
    return slot.instant + max(newsletter.catch_up.within, LEAST_CATCH_UP)


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
        for polled in gathering.gather_all(room, gathering.polled_sources(room)):
            _log_poll(polled)
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


def _missed(newsletter: Newsletter, issue: Issue, now: datetime) -> bool:
    """Whether it is too late for an approved issue; one approved after its hour is never too late."""
    approved_late = issue.approved_at is not None and issue.approved_at >= issue.due_at
    return now > issue.due_at + newsletter.catch_up.within and not approved_late


def _waits(timetable: Timetable, newsletter: Newsletter, issue: Issue, now: datetime) -> bool:
    """Whether the schedule has stopped or put off an approved issue since the clock last looked."""
    slot = timetable.regular(newsletter, issue.id.date, issue.id.number)
    return slot is not None and (slot.stopped_by is not None or slot.instant > now)


def _see_through_the_clock(room: Newsroom, known: Iterable[Issue], now: datetime) -> None:
    """Close windows of stories that end in time to come: they are of a clock that was ahead, and whatever came in until
    that time would be in no issue."""
    ahead = [issue for issue in known if issue.window_end is not None and issue.window_end > now + SKEW]
    if ahead and not room.clock.rehearsing:
        log.warning(
            "%s was built by a clock that was ahead; the next issue's stories are those from now on", ahead[0].id
        )
        room.issues.close_windows(now)


def _show_fault(room: Newsroom) -> None:
    """Say once that schedule.yaml is broken and that its last good revision is at work."""
    _ = room.plan
    fault = room.plan_fault
    if fault is not None and fault is not room.plan_fault_shown:
        log.warning("schedule.yaml is broken; its last good revision stays at work:\n%s", fault)
    room.plan_fault_shown = fault


def _reason(slot: Slot) -> str:
    return (slot.note or "").removeprefix("skipped: ")


def _log_poll(polled: gathering.Polled) -> None:
    if polled.error:
        log.warning("%s", polled.error)
    elif polled.gathered and not polled.gathered.unchanged:
        log.info("%s: %s new", polled.source, polled.gathered.ingested.new)
