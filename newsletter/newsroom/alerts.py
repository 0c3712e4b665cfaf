"""Somebody is told when something is wrong: in the log, and where `NEWSLETTER_ALERT_URL` says."""

from __future__ import annotations

import logging

from newsletter.model import IssueId
from newsletter.newsroom.room import Newsroom

__all__ = ["alert"]

log = logging.getLogger("newsletter.alert")

_PATIENCE = 10.0
"""Seconds; a desk whose alarm bell is broken goes on with its day."""


def alert(room: Newsroom, kind: str, issue_id: IssueId, text: str) -> None:
    """Say that something is wrong with an issue; never raises.

    The URL gets a JSON POST with `kind` (one word), `issue`, `text` (a sentence for people), and `at` (ISO, UTC).
    """
    log.error("%s: %s", issue_id, text)
    url = room.settings.alert_url
    if url is None:
        return
    import httpx  # takes a tenth of a second, and alerts are rare

    document = {"kind": kind, "issue": str(issue_id), "text": text, "at": room.clock.now().isoformat()}
    try:
        httpx.post(url, json=document, timeout=_PATIENCE).raise_for_status()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the bell, what it rings for comes first
        log.warning("NEWSLETTER_ALERT_URL did not take the alert: %s", error)
