"""The web addresses that are called when something happens: `NEWSLETTER_ALERT_URL`, and a newsletter's dead man."""

from __future__ import annotations

import json

from newsletter import gather
from newsletter.model import IssueId
from newsletter.newsroom.room import Newsroom

__all__ = ["report_life", "ring"]

_PATIENCE = 10.0
"""Seconds; a desk whose alarm bell is broken goes on with its day."""

_HEADERS = {"Content-Type": "application/json", "User-Agent": "newsdesk-newsletter"}


def ring(room: Newsroom, kind: str, issue_id: IssueId | None, text: str) -> str | None:
    """POST an alert to `NEWSLETTER_ALERT_URL`; never raises. Returns why it was not taken, None where it was or no
    address is set.

    The JSON holds `kind` (one word), `issue` (empty where it is about none), `text` (sentences for people), and `at`
    (ISO, UTC).
    """
    url = room.settings.alert_url
    if url is None:
        return None
    document = {"kind": kind, "issue": str(issue_id or ""), "text": text, "at": room.clock.now().isoformat()}
    called = gather.call(url, json.dumps(document).encode(), _HEADERS, _PATIENCE, inside=True)
    if called.taken:
        return None
    # Not in its own words: they may repeat the address, which is a secret.
    why = f"it answered {called.status}" if called.status else called.words
    return f"NEWSLETTER_ALERT_URL did not take the alert: {why}"


def report_life(room: Newsroom, newsletter: str) -> str | None:
    """GET the newsletter's `dead_man_url`, so that whoever watches it hears when an issue did not come; never raises.

    Returns why it was not taken, None where it was or there is no such address.
    """
    plan = room.plan.newsletters.get(newsletter)
    if plan is None or plan.dead_man_url is None or room.settings.now is not None:
        return None  # a rehearsal is no sign of life
    try:
        why = gather.why_not_called(plan.dead_man_url, _PATIENCE)
    except Exception as error:  # noqa: BLE001 - an issue that went out is not less so
        why = f"cannot be called: {error}"
    return why and f"the dead_man_url of {newsletter} {why}"
