"""When something is wrong with an issue: taken back before it leaves, corrected while it does, or after.

A correction changes one story of an issue to how that story stands now. Whoever has not been reached gets the new
revision, once it is approved; whoever got the old one gets a mail that says so, which is an issue of its own and needs
an approval of its own; the next regular issue tells it too, and so does the web view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from newsletter import render
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import (
    OPEN,
    REACHED,
    UNDERWAY,
    UNSETTLED,
    Correction,
    CountrySection,
    DeliveryState,
    Faulty,
    Issue,
    IssueId,
    IssueState,
    PlacedStory,
    Severity,
    Snapshot,
    Story,
    StoryStatus,
)
from newsletter.newsroom.dispatch import outcomes
from newsletter.newsroom.dispatch.ledgers import open_ledger
from newsletter.newsroom.dispatch.reconciling import refuse_forgetful
from newsletter.newsroom.issue import issues, previews
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import render_editions
from newsletter.storage import CorrectionRow, Fault

__all__ = ["Corrected", "cancel", "correct", "undo"]

_SEEN = {
    "title": "headline",
    "summary": "summary",
    "note": "note",
    "url": "link",
    "outlet": "outlet",
    "byline": "byline",
}
_TEMPLATE = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a correction came to: the issue as it stands now, how many readers got the fault or may have, the `mail`
    that tells them (in review, where there is one), and how many are still to get the issue."""

    issue: Issue
    reached: int
    mail: Issue | None
    left: int


def undo(room: Newsroom, issue_id: IssueId, *, who: str, why: str = "") -> Issue:
    """Give an approved issue back to the editors, also while it is being sent, as long as nothing has left.

    Raises `ChecksFailedError` once something has or may have, and `NothingToDoError` for an issue without approval.
    """
    issue = room.issues.get(issue_id)
    refuse_forgetful(room, issue_id)
    now = room.clock.now()
    if issue.state is IssueState.APPROVED:
        if not room.issues.hold_back(issue_id, now, who, why or "undone", IssueState.REVIEW):
            raise NothingToDoError(f"{issue_id} is {room.issues.get(issue_id).state} by now")
    elif issue.state in UNDERWAY:
        _recover(room, issue, now)
        if not room.sends.undo(issue_id, now=now, who=who, why=why or "undone"):
            raise ChecksFailedError(
                f"messages of {issue_id} have left or are leaving; `newsletter issue stop {issue_id}` stops the rest,"
                f" `newsletter issue correct {issue_id} --story ID` corrects it"
            )
    else:
        raise NothingToDoError(f"{issue_id} is {issue.state}; there is no approval to take back")
    return room.issues.get(issue_id)


def cancel(room: Newsroom, issue_id: IssueId, *, who: str, why: str = "") -> Issue:
    """Let an issue that has not begun never appear; its approval is void, and nothing brings it back.

    Raises `ChecksFailedError` for one that readers have got a part of, and `NothingToDoError` for one that is settled.
    """
    issue = room.issues.get(issue_id)
    if issue.frozen_at is not None and issue.state is not IssueState.SUBMITTED:
        raise ChecksFailedError(
            f"{issue_id} has begun to leave; `newsletter issue stop {issue_id}` stops it, with --give-up for good"
        )
    before, after = (*OPEN, IssueState.FAILED), IssueState.CANCELLED
    if not room.issues.step_back(issue_id, before, after, now=room.clock.now(), who=who, why=why):
        raise NothingToDoError(f"{issue_id} is {room.issues.get(issue_id).state}; there is nothing to cancel")
    return room.issues.get(issue_id)


def correct(room: Newsroom, issue_id: IssueId, story_id: str, notice: str = "", *, who: str) -> Corrected:
    """Bring one story of an issue to how it stands now; of a withdrawn one the issue says nothing more.

    Stops the issue if it is being sent. `notice` is what readers are told was wrong, one sentence or a few. Repeated
    after a crash it goes on where it stopped. Raises `NothingToDoError` where the story stands in the issue as it is,
    and no notice says what is wrong all the same.
    """
    with issues.alone(room, issue_id):
        return _correct(room, issue_id, story_id, notice, who)


def _correct(room: Newsroom, issue_id: IssueId, story_id: str, notice: str, who: str) -> Corrected:
    issue = room.issues.get(issue_id)
    drafted = issue.snapshot
    if drafted is None or issue.state in (IssueState.CANCELLED, IssueState.MISSED, IssueState.SKIPPED):
        raise NothingToDoError(f"{issue_id} is {issue.state}; there is nothing to correct")
    if drafted.faulty is not None:
        raise InputError(f"{issue_id} is a correction itself; correct {drafted.faulty.issue} again")
    refuse_forgetful(room, issue_id)
    if (told := _left_off(room, issue, drafted, story_id, notice)) is not None:
        return _told(room, issue, told, who)
    placed = _placed(drafted, story_id, issue_id)
    present = _present(room, placed.story)
    snapshot = _with(drafted, present, placed)
    told_so = any((row.story, row.notice) == (story_id, notice) for row in room.corrections.of(issue_id))
    if snapshot == drafted and (not notice or told_so):
        raise NothingToDoError(
            f"{story_id} stands in {issue_id} as it is now: correct it where it comes from, or with `newsletter stories"
            " import`, and repeat this; or say what else is wrong with --notice"
        )
    notice = notice or _what_changed(placed.story, present)
    if issue.state is IssueState.SENDING and not room.sends.undo(
        issue_id, now=room.clock.now(), who=who, why="to be corrected"
    ):
        outcomes.stop(room, issue_id, who=who, why="to be corrected")
    fault = Fault(story_id, placed.story.title, notice)
    return _told(room, _revised(room, room.issues.get(issue_id), snapshot, fault, who), present, who)


def _left_off(room: Newsroom, issue: Issue, drafted: Snapshot, story_id: str, notice: str) -> Story | None:
    """The story as it stands now, where its correction is written down and only the mail about it is not drafted."""
    row = next(iter(reversed(room.corrections.of(issue.id))), None)
    present = room.stories.find([story_id]).get(story_id)
    if row is None or present is None or (row.story, row.right_from) != (story_id, issue.revision):
        return None
    if row.mailed_in is not None and room.issues.get(row.mailed_in).snapshot is not None:
        return None
    present = _present(room, present)
    shown = [placed.story for placed in drafted.placed if placed.story.id == story_id]
    same = shown == ([present] if present.status is StoryStatus.READY else [])
    return present if same and notice in ("", row.notice) else None


def _revised(room: Newsroom, issue: Issue, snapshot: Snapshot, fault: Fault, who: str) -> Issue:
    """The issue in a further revision: in review again, or where it has been submitted, for its web view alone."""
    now = room.clock.now()
    if issue.state is IssueState.SUBMITTED:
        keys = {each.key: each for each in previews.sealed(room, issue)}
        told = [edition for edition in keys.values() if snapshot.sections_of(edition)]
        rendered = render_editions(room.templates, snapshot, told, room.settings.base_url)
        findings = render.preflight(snapshot, rendered, now) if told else []
        if blocking := [found for found in findings if found.severity is Severity.BLOCKING]:
            raise ChecksFailedError(f"{issue.id}: {blocking[0].place}: {blocking[0].message} {blocking[0].fix}")
        if not room.issues.amend(issue.id, issue.revision, snapshot, rendered, fault=fault, now=now, who=who):
            raise _moved_on(issue.id)
    elif issue.frozen_at is not None:
        before = {IssueState.STOPPED, IssueState.REVIEW, IssueState.WAITING, IssueState.APPROVED}
        stored = room.issues.store_draft(
            issue.id,
            snapshot,
            IssueState.REVIEW,
            window_end=issue.window_end,
            now=now,
            who=who,
            why=fault.notice,
            what="corrected",
            edited_by=who,
            before=before,
            fault=fault,
        )
        if stored is None:
            raise _moved_on(issue.id)
    else:
        newsletter = room.newsletter(issue.id.newsletter)
        what = f"took over “{fault.title}”"
        issues.store(room, newsletter, issue, snapshot, window_end=issue.window_end, who=who, what=what)
    return room.issues.get(issue.id)


def _told(room: Newsroom, issue: Issue, present: Story, who: str) -> Corrected:
    """Draft the mail to those who got the fault."""
    if issue.frozen_at is None:
        return Corrected(issue=issue, reached=0, mail=None, left=0)
    counts = room.deliveries.counts(issue.id)
    left = sum(counts.get(state, 0) for state in UNSETTLED)
    reached = sum(counts.get(state, 0) for state in REACHED)
    # What is in flight may have it too: whom the mail goes to is asked of the books when it leaves.
    mail = None
    if reached or counts.get(DeliveryState.SENDING):
        mail = _draft_mail(room, issue, room.corrections.of(issue.id)[-1], present, who)
    return Corrected(issue=issue, reached=reached, mail=mail, left=left)


def _draft_mail(room: Newsroom, issue: Issue, row: CorrectionRow, story: Story, who: str) -> Issue:
    """The mail to those who got a revision below the issue's present one: an issue of today's date, in review."""
    assert issue.snapshot is not None
    newsletter = room.newsletter(issue.id.newsletter)
    now = room.clock.now()
    today = now.astimezone(newsletter.timezone).date()
    if row.mailed_in is None:
        # The first of a day is its regular one.
        planned = room.issues.plan_another(newsletter.name, today, now, now, who, least=2)
        room.corrections.mail(row.number, planned.id)
    else:
        planned = room.issues.get(row.mailed_in)
    stands = story.status is StoryStatus.READY
    country = story.country or newsletter.countries[0]
    snapshot = replace(
        issue.snapshot,
        date=today,
        sections=(CountrySection(country, (PlacedStory(story),) if stands else ()),),
        lead=story.id if stands else "",
        template=_TEMPLATE,
        subject=None,
        subject_template=None,
        preheader=row.notice,
        word=(),
        sponsor=None,
        segment={},
        breaking=False,
        recap=(),
        corrections=(Correction(0, issue.id.date, story.title, row.notice),),
        faulty=Faulty(str(issue.id), issue.revision),
    )
    return issues.store(room, newsletter, planned, snapshot, window_end=None, who=who)


def _placed(snapshot: Snapshot, story_id: str, issue_id: IssueId) -> PlacedStory:
    for placed in snapshot.placed:
        if placed.story.id == story_id:
            return placed
    carried = ", ".join(placed.story.id for placed in snapshot.placed)
    raise InputError(f"{issue_id} does not carry {story_id}; it carries {carried or 'no story'}")


def _present(room: Newsroom, story: Story) -> Story:
    """The story as it stands now, with its present status, which a copy of it may have given it."""
    present = room.stories.find([story.id]).get(story.id)
    if present is None:
        return replace(story, status=StoryStatus.WITHDRAWN)
    return replace(present, status=room.stories.statuses([story.id]).get(story.id, present.status))


def _with(snapshot: Snapshot, story: Story, placed: PlacedStory) -> Snapshot:
    """The snapshot with the story as it stands now, or without it when that is not to be read any more."""
    after = (replace(placed, story=story),) if story.status is StoryStatus.READY else ()
    sections = []
    for section in snapshot.sections:
        stories = tuple(kept for each in section.stories for kept in (after if each is placed else (each,)))
        if stories:
            sections.append(replace(section, stories=stories))
    if snapshot.lead == story.id and not after:
        first = sections[0].stories[0].story.id if sections else ""
        return replace(snapshot, sections=tuple(sections), lead=first, lead_chosen=False)
    return replace(snapshot, sections=tuple(sections))


def _what_changed(before: Story, after: Story) -> str:
    """A plain sentence for when the editor has none."""
    if after.status is not StoryStatus.READY:
        return "This story has been withdrawn."
    changed = [words for name, words in _SEEN.items() if getattr(before, name) != getattr(after, name)]
    return f"What we sent you had a fault in its {' and '.join(changed) or 'details'}, which stands corrected here."


def _recover(room: Newsroom, issue: Issue, now: datetime) -> None:
    with open_ledger(room, issue) as ledger:
        ledger.recover(now)


def _moved_on(issue_id: IssueId) -> ChecksFailedError:
    return ChecksFailedError(f"{issue_id} was changed by somebody else at this moment; look at it and repeat this")
