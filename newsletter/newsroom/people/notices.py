"""What the desk's own people are to be told of an issue, and when: decided from values, nothing is touched.

Which kinds there are, for editors: docs/desk-mails.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import TypeAdapter

from newsletter.model import DRAFTED, UNDERWAY, UNSENT, DeliveryState, Issue, IssueState
from newsletter.newsroom.issue.issues import CLOCK
from newsletter.newsroom.people.saying import length_words, moment_words
from newsletter.newsroom.planning.following import by_hand
from newsletter.plan import ApprovalMode, Newsletter, lock_at, slot_of
from newsletter.storage import Change

__all__ = ["Notice", "Told", "draft_notice", "notices_of", "stopped", "titles_of", "trial_at"]

SHORTLY = timedelta(minutes=15)
"""How long before the approval deadline people are reminded of it."""

LATE = timedelta(minutes=5)
"""What leaves this much after its time is late; less is how long a tick and a freeze may take."""

TRIAL = timedelta(minutes=30)
"""How long before an issue is due the mail server is tried, where no `lock` says when."""

_SHORT = 60
"""Characters of a reason that fits into a subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell. `word` says what of, for programs; `kind` tells it from any other of the issue.

    `headline` goes into the subject and is a sentence without its end; `sentences` say more. An `alarm` goes to
    `NEWSLETTER_ALERT_URL` as well; what is for `approvers` shows the draft, and goes to them too.
    """

    word: str
    kind: str
    headline: str
    sentences: tuple[str, ...] = ()
    alarm: bool = False
    approvers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice as it was noted: also which draft the issue had then, by id and title of its stories."""

    notice: Notice
    revision: int
    stories: tuple[tuple[str, str], ...] = ()

    def write(self) -> str:
        """As JSON."""
        return _TOLD.dump_json(self).decode()

    @classmethod
    def read(cls, document: str) -> Told:
        """What `write` wrote."""
        return _TOLD.validate_json(document)


_TOLD = TypeAdapter(Told)


def titles_of(issue: Issue) -> tuple[tuple[str, str], ...]:
    """Id and title of each story of the present draft, in its order."""
    placed = issue.snapshot.placed if issue.snapshot else ()
    return tuple((each.story.id, each.story.title) for each in placed)


def trial_at(newsletter: Newsletter, issue: Issue) -> datetime:
    """When it is tried whether the mail server would take the issue: at the lock, or half an hour before it is due."""
    slot = slot_of(newsletter, issue.id.date)
    lock = lock_at(slot, newsletter) if issue.id.number == 1 else None
    return min(lock + (issue.due_at - slot.instant), issue.due_at) if lock is not None else issue.due_at - TRIAL


def notices_of(
    newsletter: Newsletter,
    issue: Issue,
    changes: Sequence[Change],
    counts: Mapping[str, int],
    told: Mapping[str, datetime],
    now: datetime,
    until: datetime,
) -> Iterator[Notice]:
    """Everything that is to be told of the issue at this moment, those of `told` (kind, and when) among it or not.

    `until` is when a link to approve it ends.
    `changes` is how its state changed, in order; `counts` its deliveries by state.
    """
    if not changes:
        return
    last = changes[-1]
    if issue.state in UNSENT:
        yield from _of_a_draft(newsletter, issue, told, now, until)
    match issue.state:
        case IssueState.WAITING:
            yield _few(issue) if _is_few(issue) else _held(issue, last)
        case IssueState.APPROVED if issue.reason and now > issue.due_at + LATE:
            yield _alarm("stuck", "Not leaving", _sentence(issue.reason), "It is tried again all the time.")
        case IssueState.SKIPPED if last.who == CLOCK and issue.revision:
            yield _few(issue) if _is_few(issue) else _alarm("skipped", "Skipped", _sentence(issue.reason))
        case IssueState.MISSED:
            yield _alarm("missed", "Missed", _sentence(issue.reason))
        case IssueState.FAILED:
            again = f"Mend it, then build the draft again: {_rebuild(issue)}"
            headline = "The draft could not be built"
            yield _alarm("failed", headline, _sentence(issue.reason), again, kind=f"failed {last.number}")
        case IssueState.STOPPED if last.who == "breaker":
            yield stopped(issue, last.number, issue.reason)
        case IssueState.SUBMITTED:
            yield _submitted(issue, counts)
    if issue.state in DRAFTED and (voided := _voided(changes, issue.frozen_at is not None)):
        yield voided
    if issue.state in UNDERWAY and counts.get(DeliveryState.UNKNOWN, 0):
        yield _unknown(issue, counts[DeliveryState.UNKNOWN])
    if late := _late(newsletter, issue, changes):
        yield late


def stopped(issue: Issue, number: int, why: str) -> Notice:
    """What is told when the program itself stopped a send, by the change of that number."""
    rest = f"When that is mended, this sends the rest: newsletter issue send {issue.id}"
    why = _sentence(why.partition("; `")[0])
    return _alarm("stopped", "Sending stopped by itself", why, rest, kind=f"stopped {number}")


def _alarm(word: str, headline: str, *sentences: str, kind: str | None = None, approvers: bool = False) -> Notice:
    return Notice(word=word, kind=kind or word, headline=headline, sentences=sentences, alarm=True, approvers=approvers)


def _of_a_draft(
    newsletter: Newsletter, issue: Issue, told: Mapping[str, datetime], now: datetime, end: datetime
) -> Iterator[Notice]:
    auto = _needs_nobody(newsletter, issue)
    ready = issue.state is IssueState.REVIEW or (auto and issue.approved_by == "auto")
    if now >= max(end, issue.due_at) or not ready:
        return
    yield draft_notice(newsletter, issue, now, end)
    reminded = told.get("draft")
    pressed = not auto and issue.window_end is not None  # the schedule presses for no breaking news
    if not pressed or reminded is None or not end - SHORTLY <= now < end or reminded > end - SHORTLY:
        return
    half = f"{issue.first_approved_by} has approved it; it needs one person more." if issue.first_approved_by else ""
    sentences = filter(None, (half, _at_the_deadline(newsletter, end, now)))
    yield _alarm("deadline", f"Not approved yet, {length_words(end - now)} left", *sentences, approvers=True)


def _needs_nobody(newsletter: Newsletter, issue: Issue) -> bool:
    """Whether the draft is approved by itself; breaking news and what tells of a fault, which have no window, never
    are."""
    return newsletter.approval.mode is ApprovalMode.AUTO and issue.window_end is not None


def draft_notice(newsletter: Newsletter, issue: Issue, now: datetime, end: datetime, *, again: bool = False) -> Notice:
    """That the draft is there to be approved, by link until `end`; `again` for its present revision, to somebody who
    asked."""
    sentences: tuple[str, ...] = ()
    if _needs_nobody(newsletter, issue):
        headline, sentences = "Draft ready", ("Nobody has to approve it. To keep it back, edit it.",)
    elif now < end:
        headline = f"Draft ready, approve it by {moment_words(end, newsletter.timezone, now)}"
    else:
        headline = "Draft ready, and late for its approval"
    kind = f"draft {issue.revision}" if again else "draft"
    return Notice(word="draft", kind=kind, headline=headline, sentences=sentences, approvers=True)


def _at_the_deadline(newsletter: Newsletter, end: datetime, now: datetime) -> str:
    otherwise = {"wait": "it waits", "send": "it is sent as it stands", "skip": "the day is skipped"}
    return (
        f"Without an approval by {moment_words(end, newsletter.timezone, now)}"
        f" {otherwise[newsletter.approval.on_timeout]}."
    )


def _held(issue: Issue, last: Change) -> Notice:
    words = issue.reason.split("\n")[0].rstrip(":")
    if words.endswith("cannot be approved"):
        words = "a check blocks it"
    kind = f"held {last.number}"
    if words and len(words) <= _SHORT:
        return _alarm("held", f"Waiting: {words}", kind=kind, approvers=True)
    return _alarm("held", "Waiting for an editor", _sentence(words), kind=kind, approvers=True)


def _voided(changes: Sequence[Change], issue_frozen: bool) -> Notice | None:
    """That somebody's approval has ended because somebody else changed the draft, or took it back."""
    for approval, after in reversed(list(pairwise(changes))):
        if after.before is IssueState.APPROVED:
            if after.who.casefold() in (approval.who.casefold(), CLOCK) or issue_frozen:
                return None
            did = f"{after.who} took it back" if after.why else f"{after.who} changed the draft"
            headline = f"No longer approved: {did}"
            said = f"{approval.who} had approved it. Whoever looks at it now sees what changed."
            return _alarm("voided", headline, said, kind=f"voided {after.number}", approvers=True)
    return None


def _is_few(issue: Issue) -> bool:
    """Whether it waits, or was skipped, for want of stories: what `issues` says then."""
    return issue.reason.startswith(("too few stories", "no story"))


def _few(issue: Issue) -> Notice:
    build = f"Add stories and build the draft again, {_rebuild(issue)}, or approve it as it is."
    after = "The day is skipped." if issue.state is IssueState.SKIPPED else build
    words = issue.reason[:_SHORT]
    return _alarm("few", words[:1].upper() + words[1:], after)


def _submitted(issue: Issue, counts: Mapping[str, int]) -> Notice:
    taken, all_of_them = counts.get(DeliveryState.SUBMITTED, 0), sum(counts.values())
    doubts = counts.get(DeliveryState.UNKNOWN, 0)
    headline = f"Handed to the mail server: {taken:,} of {all_of_them:,}"
    sentences = _doubt(issue, doubts) if doubts else ()
    return Notice(word="submitted", kind="submitted", headline=headline, sentences=sentences)


def _unknown(issue: Issue, doubts: int) -> Notice:
    headline = f"{doubts:,} {'message' if doubts == 1 else 'messages'} on hold"
    return _alarm("unknown", headline, *_doubt(issue, doubts))


def _doubt(issue: Issue, doubts: int) -> tuple[str, str]:
    which = "message is" if doubts == 1 else "messages are"
    why = "a sender died, or its line broke, and nobody can know what the mail server took"
    decide = f"A person decides: newsletter issue resolve {issue.id} --unknown submitted, or --unknown resend."
    return f"{doubts:,} {which} on hold: {why}.", decide


def _late(newsletter: Newsletter, issue: Issue, changes: Collection[Change]) -> Notice | None:
    """An issue that the clock built, or a sender began, after its time, and not because an approval was late."""

    def shown(instant: datetime) -> str:
        return moment_words(instant, newsletter.timezone, issue.due_at)

    built = next((each for each in changes if each.after in UNSENT), None)
    if built is not None and built.who == CLOCK and built.at > issue.due_at + LATE:
        why = f"It was due at {shown(issue.due_at)}; the desk was down, and its draft was built at {shown(built.at)}."
        waits = ("It waits for an approval.",) if issue.state in DRAFTED else ()
        return _alarm("late", "Runs late", why, *waits, approvers=bool(waits))
    ready = max(filter(None, (issue.approved_at, issue.due_at)))
    if issue.frozen_at is not None and issue.frozen_at > ready + LATE:
        why = f"It was due at {shown(issue.due_at)} and began to leave at {shown(issue.frozen_at)}."
        return _alarm("late", "Runs late", why)
    return None


def _rebuild(issue: Issue) -> str:
    return by_hand(issue.id).strip("`")


def _sentence(words: str) -> str:
    """A reason as a sentence."""
    words = words.strip().replace("`", "")
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
