"""What comes back says of ourselves: refused as spam, complained about, unknown to a whole provider at once.

An issue is stopped, a newsletter paused, and the desk's people are told.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from newsletter.errors import NewsletterError, NothingToDoError
from newsletter.model import DeliveryState, IssueId
from newsletter.newsroom.dispatch import outcomes
from newsletter.newsroom.people import alerts
from newsletter.newsroom.people.notices import Notice
from newsletter.newsroom.planning import scheduling
from newsletter.newsroom.room import Newsroom
from newsletter.plan import OverlayKind
from subscribers.bounces.model import BounceClass, Consequence

__all__ = ["look"]

log = logging.getLogger("newsletter.bounces")

BREAKER = "breaker"

LEAST_REFUSED, REFUSED = 5, 0.01
"""From how many messages, and which share of what was handed over, a refusal is the issue's and not one server's."""

LEAST_SUBMITTED, LEAST_COMPLAINTS = 1_000, 5
WARNS, STOPS = 0.001, 0.003
"""Complaint rates. Gmail asks senders to stay under 0.1 % and never to reach 0.3 % (its sender guidelines of 2024)."""

DAYS = timedelta(days=7)
"""Of which issues the rate is taken."""


def look(room: Newsroom, issue_id: IssueId, kind: BounceClass, then: Consequence, provider: str) -> None:
    """Do what one more message of that class means for the issue and its newsletter.

    What cannot be done is logged: the message itself is committed, and the next one asks again.
    """
    try:
        if then is Consequence.HELD:
            _tell_held(room, issue_id, provider)
        elif kind is BounceClass.POLICY:
            _trip(room, issue_id)
        elif kind is BounceClass.COMPLAINT:
            _weigh_complaints(room, issue_id)
    except NewsletterError as error:
        log.warning("%s: %s", issue_id, error)


def _tell_held(room: Newsroom, issue_id: IssueId, provider: str) -> None:
    people = next((each.people for each in room.bounces.held() if each.provider == provider), 0)
    notice = Notice(
        word="bounces",
        kind=f"held {provider}"[:60],
        headline=f"{provider} knows many readers no longer",
        sentences=(
            f"{people:,} of its addresses were answered with “unknown”, too many to be people who left.",
            "Nobody of them is suppressed until somebody has looked.",
            f"newsletter bounces release {provider} lets them be, newsletter bounces confirm {provider} does it.",
        ),
        alarm=True,
    )
    alerts.raise_alarm(room, issue_id, notice)


def _trip(room: Newsroom, issue_id: IssueId) -> None:
    """Stop an issue of which many messages are refused for what it is or where it comes from."""
    submitted = room.deliveries.counts(issue_id).get(DeliveryState.SUBMITTED, 0)
    refused = room.bounces.people([str(issue_id)], BounceClass.POLICY)
    if refused < LEAST_REFUSED or refused < REFUSED * submitted:
        return
    why = f"{refused:,} of {submitted:,} messages came back as refused by policy"
    with suppress(NothingToDoError):
        outcomes.stop(room, issue_id, who=BREAKER, why=why)
        alerts.alert(room, "stopped", issue_id, why)
        return
    alerts.alert(room, "refused", issue_id, f"{why}.")


def _weigh_complaints(room: Newsroom, issue_id: IssueId) -> None:
    """Warn of many complaints about a newsletter, or pause it; who resumes it begins to count anew."""
    name, now = issue_id.newsletter, room.clock.now()
    issues, submitted = room.traces.submitted(name, _since(room, name, now))
    complaints = room.bounces.people([str(each) for each in issues], BounceClass.COMPLAINT)
    if submitted < LEAST_SUBMITTED or complaints < LEAST_COMPLAINTS or complaints <= WARNS * submitted:
        return
    said = f"{complaints:,} readers reported spam, of {submitted:,} messages of a week ({complaints / submitted:.2%})"
    if complaints < STOPS * submitted:
        alerts.alert(room, "complaints", issue_id, f"{said}. At {STOPS:.1%} the newsletter stops.")
        return
    with suppress(NothingToDoError):
        scheduling.pause(room, name, who=BREAKER, why=said)
    with suppress(NothingToDoError):
        outcomes.stop(room, issue_id, who=BREAKER, why=said)
    alerts.alert(room, "paused", issue_id, f"{said}. newsletter schedule resume {name} ends the pause.")


def _since(room: Newsroom, name: str, now: datetime) -> datetime:
    paused = [
        each.made_at
        for each in room.overlays.list(name)
        if each.kind is OverlayKind.PAUSE and each.who == BREAKER and each.ended_at is not None
    ]
    return max([now - DAYS, *paused])
