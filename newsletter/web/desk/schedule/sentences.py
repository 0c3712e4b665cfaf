"""What will follow from a change of the schedule, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.model import Issue, IssueState
from newsletter.newsroom.planning.foreseeing import Foreseen
from newsletter.plan import ApprovalMode, Newsletter, Slot
from newsletter.web.words import STATE_WORDS, city, day_words

__all__ = ["approval_sentence", "due_words", "lost_sentences", "won_sentences"]

NAMED = 5
"""Dates that a sentence names one by one."""


def lost_sentences(newsletter: Newsletter, foreseen: Foreseen, now: datetime, *, endless: bool) -> Iterator[str]:
    """What a pause or a skip leads to."""
    if endless:
        yield (
            f"{newsletter.title} does not appear until somebody resumes it:"
            f" {_issues(foreseen.lost)} in the next 14 days{_dates(foreseen.lost, newsletter.timezone, now)}."
        )
    elif foreseen.lost:
        verb = "does" if len(foreseen.lost) == 1 else "do"
        named = _dates(foreseen.lost, newsletter.timezone, now)
        yield f"{_issues(foreseen.lost).capitalize()} of {newsletter.title} {verb} not appear{named}."
    elif not foreseen.skipped:
        yield f"No issue of {newsletter.title} is due in that time."
    if endless or foreseen.lost:
        each = "Each" if endless or len(foreseen.lost) > 1 else "It"
        yield f"{each} is recorded as skipped, with your name and reason, and no draft is built for it."
    yield from (_skipped(issue) for issue in foreseen.skipped)
    yield from (
        f"{issue.id} has begun ({STATE_WORDS[issue.state]}) and is left alone." for issue in foreseen.left_alone
    )


def won_sentences(newsletter: Newsletter, foreseen: Foreseen, now: datetime) -> Iterator[str]:
    """What it leads to that a stop is taken back."""
    if not foreseen.won:
        yield f"No issue of {newsletter.title} comes back that is still to be due."
        return
    named = _dates(foreseen.won, newsletter.timezone, now)
    verb = "appears" if len(foreseen.won) == 1 else "appear"
    yield f"{_issues(foreseen.won).capitalize()} of {newsletter.title} {verb} after all{named}."
    yield "What was skipped already is planned again and built anew, if its hour is still to come."


def approval_sentence(newsletter: Newsletter) -> str:
    """What lets an issue out that is to run at once."""
    if newsletter.approval.mode is ApprovalMode.AUTO:
        return "It is approved as soon as it is built, if no check blocks, and then sent."
    return "It is sent as soon as an approver lets it out."


def due_words(instant: datetime, newsletter: Newsletter, now: datetime) -> str:
    """`Wed 27 May, 09:30 Singapore (01:30 UTC)`."""
    zone = newsletter.timezone
    local = instant.astimezone(zone)
    return f"{day_words(local, now.astimezone(zone))}, {local:%H:%M} {city(zone)} ({instant:%H:%M} UTC)"


def _skipped(issue: Issue) -> str:
    if issue.state is IssueState.APPROVED:
        return f"{issue.id} is approved: it is skipped at once, and its approval is void."
    return f"{issue.id} is {STATE_WORDS[issue.state]}: it is skipped at once."


def _issues(slots: Sequence[Slot]) -> str:
    return f"{len(slots)} {'issue' if len(slots) == 1 else 'issues'}"


def _dates(slots: Sequence[Slot], zone: ZoneInfo, now: datetime) -> str:
    if not slots:
        return ""
    named = [
        f"{day_words(slot.instant.astimezone(zone), now)}, {slot.instant.astimezone(zone):%H:%M}" for slot in slots
    ]
    if len(named) > NAMED:
        named = [*named[: NAMED - 1], f"and on to {named[-1]}"]
    return f" ({'; '.join(named)})"
