"""Somebody is told at once when something is wrong: in the log, where `NEWSLETTER_ALERT_URL` says, and by mail."""

from __future__ import annotations

import logging

from newsletter.model import IssueId
from newsletter.newsroom.people import bell, notices, telling
from newsletter.newsroom.people.notices import Notice
from newsletter.newsroom.room import Newsroom

__all__ = ["alert", "raise_alarm"]

log = logging.getLogger("newsletter.alert")


def alert(room: Newsroom, kind: str, issue_id: IssueId, text: str) -> None:
    """Say that something is wrong with an issue, once for each change of its state; never raises.

    `kind` is one word for programs, `text` sentences for people. What cannot be told now is tried again by the clock.
    """
    log.error("%s: %s", issue_id, text)
    try:
        issue = room.issues.get(issue_id)
        changes = room.desk_mails.changes([issue_id])[issue_id]
        number = changes[-1].number if changes else 0
        if kind == "stopped":
            notice = notices.stopped(issue, number, text)
        else:
            notice = Notice(
                word=kind, kind=f"{kind} {number}", headline=kind.capitalize(), sentences=(text,), alarm=True
            )
        telling.note(room, issue, notice)
        telling.carry(room)
    except Exception:  # whatever is wrong with the desk, what is told comes first
        log.exception("%s: the alert cannot be kept", issue_id)
        if why := bell.ring(room, kind, issue_id, text):
            log.warning("%s", why)


def raise_alarm(room: Newsroom, issue_id: IssueId, notice: Notice) -> None:
    """Tell a notice of an issue at once, and once for its kind; never raises."""
    log.error("%s: %s", issue_id, notice.headline)
    try:
        if telling.note(room, room.issues.get(issue_id), notice):
            telling.carry(room)
    except Exception:
        log.exception("%s: the alert cannot be kept", issue_id)
        if why := bell.ring(room, notice.word, issue_id, " ".join((f"{notice.headline}.", *notice.sentences))):
            log.warning("%s", why)
