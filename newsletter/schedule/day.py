"""The desk's day: at each waking, whatever is due takes its next step.

The memory is the issue table, never the clock: any number of processes may wake at any time, and every step is
a compare-and-set or is guarded by a lock that dies with its owner.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from newsletter.errors import NewsletterError, NothingToDoError
from newsletter.model import OPEN, Issue, IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.newsroom.dispatch.pacing import priority_of
from newsletter.newsroom.intake import gathering, notes, related
from newsletter.newsroom.planning.following import follow
from newsletter.newsroom.readership import bouncing, imports, mailboxes, pruning, replaying
from newsletter.plan import Newsletter, Timetable, approval_deadline, build_at
from newsletter.schedule import steps

__all__ = [
    "FAR_BACK",
    "LOOK_BACK",
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
                if issue is None and steps.missed_by_nobody(newsletter, slot, first_due, now):
                    continue
                steps.advance(room, timetable, newsletter, slot, issue, now)
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
            steps.end_abandoned(room, timetable, issue, now)
    imports.sweep(room)


def poll(room: Newsroom) -> None:
    """Gather from every source whose turn it is."""
    steps.gather_from(room, gathering.due_sources(room, room.clock.now()))
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
            and not steps.missed(newsletter, issue, now)
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
