"""How much it takes before somebody is not mailed any more. Pure: it decides and touches nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from subscribers.bounces.model import BounceClass, Report

__all__ = ["LOOK_BACK", "PATIENCE", "PROBE_AFTER", "is_dead", "is_jump", "weighed"]

ROW = 5
SPAN = timedelta(days=7)
"""So many failures in a row, over at least so long, are one mailbox that nobody empties."""

LOOK_BACK = timedelta(days=60)
"""Failures further apart are no row: of a weekly newsletter five are 29 days."""

PROBE_AFTER = timedelta(days=14)
PATIENCE = timedelta(days=6)
"""How long after the probe nothing means that it arrived: servers try for up to five days (RFC 5321, 4.5.4.1)."""

LEAST_JUMP, JUMP = 5, 0.05
"""From how many people, and which share of an issue's messages to one provider, "unknown" is the provider's fault."""


def weighed(report: Report, email: str) -> BounceClass:
    """The class that counts against the holder of that address.

    A report that speaks only of other addresses is about where theirs forwards to: that is no proof against theirs.
    """
    others = bool(report.recipients) and email.lower() not in report.recipients
    return BounceClass.OTHER if others and report.kind is BounceClass.ADDRESS else report.kind


def is_dead(
    delivery: int, mailed: Sequence[tuple[int, datetime]], failed: Collection[int], silent: Collection[int]
) -> bool:
    """Whether `delivery` is one of five or more that failed in a row, over at least seven days.

    `mailed` is number and instant of all that was handed over for the person, in order. One that has not `failed`
    arrived and breaks the row; what came back of those in `silent` says nothing of the mailbox.
    """
    run: list[datetime] = []
    ours = False
    for number, at in mailed:
        if number in failed:
            run.append(at)
            ours = ours or number == delivery
        elif number not in silent:
            if ours:
                break
            run = []
    return ours and len(run) >= ROW and run[-1] - run[0] >= SPAN


def is_jump(people: int, messages: int) -> bool:
    """Whether so many unknown people, of so many messages to their provider, are more than people who left."""
    return people >= LEAST_JUMP and people > JUMP * messages
