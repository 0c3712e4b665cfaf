"""What programs elsewhere are told of a subscriber's history; written in the transaction that writes the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from newsletter.model import IssueId
from newsletter.storage import EventKind, Happening, note
from subscribers.bounces.codes import code_in
from subscribers.bounces.model import SCORED, BounceClass, Consequence
from subscribers.bounces.reading import judged
from subscribers.erasing import Erased
from subscribers.importing import ImportReport
from subscribers.model import Event, Fate, Status

__all__ = ["happening_of", "listen", "tell_erased", "tell_imported", "tell_refused"]

_KINDS = {
    "subscribed": EventKind.SUBSCRIBED,
    "confirmed": EventKind.SUBSCRIBED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "bounced": EventKind.BOUNCED,
    "complained": EventKind.COMPLAINED,
}

_OF_THE_PERSON = (*SCORED, BounceClass.ADDRESS)

_TOLD = ("newsletters", "issue", "class", "status", "then")
"""What of the particulars is told: the words of a bounce, and who did what from where, are nobody else's business."""


def listen(connection: Connection, lines: Sequence[tuple[int, Event]]) -> None:
    """Write down what of these lines of history some webhook wants to be told."""
    note(connection, [each for number, event in lines if (each := happening_of(number, event)) is not None])


def tell_erased(connection: Connection, erased: Erased, now: datetime) -> None:
    """Write down that somebody is erased: all their subscriptions end. Also where none was left to end, for a program
    may keep them from before."""
    if erased.subscriber:
        data = {"subscriber": erased.subscriber, "newsletters": list(erased.newsletters)}
        kind = EventKind.UNSUBSCRIBED
        note(connection, [Happening(kind=kind, at=now, data=data, subscriber=erased.subscriber)])


def tell_refused(issue_id: IssueId, connection: Connection, refusals: Sequence[tuple[int, str]], now: datetime) -> None:
    """Write down whose messages a mail server refused for good while it was spoken to, as what comes back later is.

    Refusals of the message or its sender say nothing about the person, and may be of everybody at once: those are the
    issue's.
    """
    told = []
    for number, words in refusals:
        kind, status = judged("failed", code_in(words), words)
        if kind in _OF_THE_PERSON:
            data = {"subscriber": number, "issue": str(issue_id), "class": str(kind), "then": str(Consequence.NOTED)}
            data |= {"status": status} if status else {}
            told.append(Happening(kind=EventKind.BOUNCED, at=now, data=data, subscriber=number))
    note(connection, told)


def tell_imported(connection: Connection, report: ImportReport, now: datetime) -> None:
    """Write down that a file was taken in, in one event: a hundred thousand of them would keep back for an hour that
    somebody left. Nothing where nothing came of it."""
    if report.added or report.changed:
        data = {"rows": report.rows, **{str(fate): getattr(report, fate) for fate in Fate}}
        note(connection, [Happening(kind=EventKind.IMPORTED, at=now, data=data)])


def happening_of(subscriber: int, event: Event) -> Happening | None:
    """The event that a line of history is; None for one that nobody is told of, as that somebody asked to subscribe
    and has not confirmed."""
    kind = _KINDS.get(event.what)
    if kind is None or event.detail.get("status") == Status.PENDING:
        return None
    told = {key: event.detail[key] for key in _TOLD if event.detail.get(key)}
    if kind is EventKind.SUBSCRIBED:
        told.pop("status", None)
    return Happening(kind=kind, at=event.at, data={"subscriber": subscriber, **told}, subscriber=subscriber)
