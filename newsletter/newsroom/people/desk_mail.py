"""One mail to one of the desk's own people: what it says of the issue, and the finished message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from newsletter import deliver, render
from newsletter.countries import country_name
from newsletter.deliver import DkimKey
from newsletter.errors import NewsletterError
from newsletter.model import DRAFTED, UNSENT, DeliveryState, Issue, IssueState, Message, Severity, Snapshot
from newsletter.newsroom.issue import preflight, previews
from newsletter.newsroom.issue.approving import approve_until, link_to
from newsletter.newsroom.people.notices import Notice
from newsletter.newsroom.people.saying import (
    DELIVERY_WORDS,
    EXCLUSION_WORDS,
    city,
    day_words,
    moment_words,
    readers_words,
)
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter
from newsletter.tokens import Purpose

__all__ = ["Contents", "contents_of", "write_mail"]

Contents = dict[str, Any]
"""What `render.desk_letter` is given."""

_OF_A_DRAFT = ("draft", "deadline", "held", "few", "late")
_WITH_BOOKS = ("submitted", "stopped", "unknown")
_MOST_CHECKS = 12


def contents_of(room: Newsroom, newsletter: Newsletter, issue: Issue, notice: Notice) -> Contents:
    """What the mail of a notice says to all who get it, of the issue as it stands now; takes as long as a preflight."""
    now, zone = room.clock.now(), newsletter.timezone
    day = day_words(issue.due_at.astimezone(zone), now.astimezone(zone))
    number = f", no. {issue.id.number}" if issue.id.number > 1 else ""
    page = f"{room.settings.base_url}/issues/{issue.id}"
    drafted = notice.word in _OF_A_DRAFT and issue.snapshot is not None
    books = notice.word in _WITH_BOOKS and issue.frozen_at is not None
    sentences = [*notice.sentences, *([_due(room, newsletter, issue)] if issue.frozen_at is None else [])]
    return {
        "subject": f"{newsletter.title}, {day}{number}: {_lowered(notice.headline)}",
        "preheader": " ".join(sentences),
        "title": newsletter.title,
        "day": day + number,
        "headline": notice.headline,
        "sentences": sentences,
        "button": None,
        "links": [
            {"address": page, "words": "Open the issue"},
            *([{"address": f"{page}#preview", "words": "Preview"}] if drafted else []),
        ],
        "books": list(_books(room, issue)) if books else [],
        "balance": _balance(room, issue) if books else "",
        "checks": list(_checks(room, issue)) if drafted and issue.state in DRAFTED else [],
        "sections": list(_sections(issue.snapshot)) if drafted and issue.snapshot else [],
        "stories": f"Stories ({len(issue.snapshot.placed) if issue.snapshot else 0})",
        "why": "",
    }


def write_mail(
    room: Newsroom,
    newsletter: Newsletter,
    issue: Issue,
    notice: Notice,
    contents: Contents,
    *,
    to: str,
    number: int,
    keys: Sequence[DkimKey],
) -> Message:
    """The finished message to one address, an approver's with a link of its own; its outcome is known by `number`."""
    own = {**contents, "why": _why(newsletter, to)}
    if notice.approvers and _is_among(newsletter.approvers, to) and (link := link_to(room, issue, to)):
        until = moment_words(approve_until(room, issue), newsletter.timezone, room.clock.now())
        about = f"For {to} alone, without a login, until {until}. It opens a page with the draft, where you decide."
        own["button"] = {"address": link, "words": "Look and approve", "about": about}
    html, text = render.desk_letter(own)
    domain = newsletter.sender.domain
    kind = f"desk|{issue.id}|{notice.kind}|{to}"
    letter = deliver.Letter(
        sender=newsletter.sender,
        to=to,
        subject=contents["subject"],
        html=html,
        text=text,
        date=room.clock.now(),
        # The same at each try, so that one that came twice is one to a mail program.
        message_id=f"<{room.signer.digest(Purpose.MESSAGE_ID, kind)}@{domain}>",
        thread=f"<{room.signer.digest(Purpose.MESSAGE_ID, f'desk|{issue.id}')}@{domain}>",
    )
    envelope = deliver.envelope_sender(room.settings.bounce_domain or domain, "desk")
    return deliver.write_letter(letter, number, envelope, keys)


def _due(room: Newsroom, newsletter: Newsletter, issue: Issue) -> str:
    """When the issue leaves, or was to leave, and to how many."""
    now, zone = room.clock.now(), newsletter.timezone
    due = f"{moment_words(issue.due_at, zone, now)} {city(zone)}"
    if issue.state not in UNSENT:
        return f"It was due {due}."
    try:
        readers = sum(reach.readers for reach in previews.editions(room, issue)) if issue.snapshot else 0
    except NewsletterError:
        readers = 0
    to = f", to {readers_words(readers)}" if readers else ""
    if issue.due_at <= now:
        return f"It was due {due}; once it is approved, it goes out right away{to}."
    when = f"at {due}" if due[:1].isdecimal() else f"on {due}"
    return f"{'It' if issue.state is IssueState.APPROVED else 'Once it is approved, it'} goes out {when}{to}."


def _checks(room: Newsroom, issue: Issue) -> Iterator[dict[str, Any]]:
    """The preflight, blocking findings first; what it costs to run is why no page of the desk waits for a mail."""
    try:
        findings = preflight.check(room, issue.id)
    except NewsletterError as error:
        yield {"label": "Could not run.", "words": str(error), "places": "", "blocking": True}
        return
    grouped = sorted(preflight.grouped(findings), key=lambda found: found[0].severity is not Severity.BLOCKING)
    for finding, places in grouped[:_MOST_CHECKS]:
        yield {
            "label": f"{finding.severity.capitalize()}: {finding.check}.",
            "words": f"{finding.message} {finding.fix}".strip(),
            "places": ", ".join(place.replace("edition ", "version ") for place in places[:4])
            + (f" and {len(places) - 4} more" if len(places) > 4 else ""),
            "blocking": finding.severity is Severity.BLOCKING,
        }
    if (more := len(grouped) - _MOST_CHECKS) > 0:
        yield {"label": f"And {more} more.", "words": "The issue's page has them all.", "places": "", "blocking": False}
    if not grouped:
        yield {"label": "Passed.", "words": "Nothing speaks against sending it.", "places": "", "blocking": False}


def _sections(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    for section in snapshot.sections:
        stories = [
            {
                "title": placed.story.title,
                "about": " · ".join(filter(None, (f"via {placed.story.outlet}", _note_waits(placed.story)))),
                "language": placed.story.language or "en",
            }
            for placed in section.stories
        ]
        if stories:
            yield {"country": country_name(section.country), "stories": stories}


def _note_waits(story: Any) -> str:
    return "its note waits for approval, and is not shown" if story.note and not story.shown_note else ""


def _books(room: Newsroom, issue: Issue) -> Iterator[dict[str, str]]:
    books = room.issues.books(issue.id)
    yield {"words": "Candidates", "figure": f"{books.candidates:,}"}
    for reason, number in books.excluded.items():
        if number:
            yield {"words": f"left out: {EXCLUSION_WORDS.get(reason, reason)}", "figure": f"−{number:,}"}
    for state, number in books.deliveries.items():
        if number:
            yield {"words": DELIVERY_WORDS[DeliveryState(state)].capitalize(), "figure": f"{number:,}"}


def _balance(room: Newsroom, issue: Issue) -> str:
    if room.issues.books(issue.id).balanced:
        return "Balanced: everybody is accounted for, once."
    return "The books do not balance. Stop the send and look at the log."


def _why(newsletter: Newsletter, to: str) -> str:
    what = "editors" if _is_among(newsletter.editors, to) else "approvers"
    return f"schedule.yaml names {to} among the {what} of {newsletter.title}. Nobody counts who opens it."


def _is_among(addresses: Sequence[str], address: str) -> bool:
    return address.casefold() in map(str.casefold, addresses)


def _lowered(headline: str) -> str:
    return headline[:1].lower() + headline[1:]
