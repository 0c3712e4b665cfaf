"""Approval by link: who may approve which draft without a login, and until when.

A link names an issue, a revision and one of the newsletter's `approvers`, signed, and ends with the approval deadline.
What the draft said when the link was made is kept beside the mail, so that the page can tell what changed since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import DRAFTED, Issue, IssueId
from newsletter.newsroom.issue import issues
from newsletter.newsroom.people.notices import Told, titles_of
from newsletter.newsroom.room import Newsroom
from newsletter.plan import approval_deadline
from newsletter.tokens import Purpose

__all__ = ["Differences", "Link", "approve_by", "approve_until", "differences", "link_of", "link_to"]

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An approver's link, read: `ended` when its time is over, `foreign` when the approver is none any more."""

    issue: Issue
    revision: int
    approver: str
    ended: bool
    foreign: bool

    @property
    def outdated(self) -> bool:
        """Whether the draft it was made for is not the present one."""
        return self.revision != self.issue.revision

    @property
    def usable(self) -> bool:
        """Whether it could approve the present draft, if no check blocks it."""
        return self.issue.state in DRAFTED and not (self.ended or self.foreign or self.outdated or self.approved_first)

    @property
    def approved_first(self) -> bool:
        """Whether it has given the first of two approvals of the present draft."""
        first = self.issue.first_approved_by
        return first is not None and first.casefold() == self.approver.casefold() and not self.outdated


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """How the present draft differs from the one a link was made for: titles of stories."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.dropped or self.changed)


def approve_until(room: Newsroom, issue: Issue) -> datetime:
    """When a link to approve the issue ends: at the approval deadline, or where there is none when it is due; of one
    that is to leave at once, when that would be too late."""
    newsletter, timetable = room.newsletter(issue.id.newsletter), room.timetable
    day, number = issue.id.date, issue.id.number
    if issue.window_end is None and timetable.regular(newsletter, day, number) is None:
        return issue.due_at + newsletter.catch_up.within  # breaking news, or a mail about a fault
    return approval_deadline(timetable.slot_of(newsletter, day, number), newsletter) or issue.due_at


def link_to(room: Newsroom, issue: Issue, approver: str) -> str | None:
    """The address at which `approver` may approve the present draft; None where the time for that is over."""
    until = approve_until(room, issue)
    if until <= room.clock.now() or issue.state not in DRAFTED:
        return None
    token = room.signer.sign(Purpose.APPROVE, f"{issue.id}|{issue.revision}|{approver}", until)
    return f"{room.settings.base_url}/approve/{token}"


def link_of(room: Newsroom, token: str) -> Link | None:
    """The link that a token of an address makes; None for one that we did not sign."""
    payload = room.signer.verify(Purpose.APPROVE, token, _EVER)
    if payload is None:
        return None
    issue_text, revision, approver = payload.split("|", 2)
    try:
        issue = room.issues.get(IssueId.parse(issue_text))
    except InputError:
        return None
    now = room.clock.now()
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    return Link(
        issue=issue,
        revision=int(revision),
        approver=approver,
        # The deadline of schedule.yaml as it is now holds as well: it may have been moved since.
        ended=room.signer.verify(Purpose.APPROVE, token, now) is None
        or newsletter is None
        or approve_until(room, issue) <= now,
        foreign=newsletter is None or approver.casefold() not in map(str.casefold, newsletter.approvers),
    )


def approve_by(room: Newsroom, link: Link) -> Issue:
    """Approve the very draft that the link was made for, as the approver it names.

    Raises `ChecksFailedError` when it ended, is outdated or a check blocks, `NothingToDoError` when it was done before.
    """
    if link.issue.approved_by or link.issue.state not in DRAFTED:
        raise NothingToDoError(f"{link.issue.id} is {link.issue.state}")
    if not link.usable:
        raise ChecksFailedError(f"this link approves nothing of {link.issue.id} any more")
    return issues.approve(room, link.issue.id, link.approver, link.revision)


def differences(room: Newsroom, link: Link) -> Differences | None:
    """What changed since the draft that the link was made for; None where nobody remembers what that said."""
    told = (Told.read(row.document) for row in room.desk_mails.of(link.issue.id))
    before = next((dict(each.stories) for each in told if each.revision == link.revision and each.stories), None)
    if before is None:
        return None
    present = dict(titles_of(link.issue))
    return Differences(
        added=tuple(title for story, title in present.items() if story not in before),
        dropped=tuple(title for story, title in before.items() if story not in present),
        changed=tuple(title for story, title in present.items() if before.get(story, title) != title),
    )
