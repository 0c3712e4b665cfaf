"""What Amazon SES tells of a message, as JSON.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from subscribers.bounces.model import BounceClass, Report
from subscribers.bounces.reading import judged, mildest, plain_line, tokens_in

__all__ = ["read_notification"]

_BY_SUBTYPE = {
    "NoEmail": BounceClass.ADDRESS,
    "MailboxFull": BounceClass.MAILBOX,
    "MessageTooLarge": BounceClass.POLICY,
    "ContentRejected": BounceClass.POLICY,
    "AttachmentRejected": BounceClass.POLICY,
}
_COMPLAINTS = (None, "abuse", "fraud")
_MOST = 50


def read_notification(text: str) -> Report:
    """What one notification (or event) says; never raises. `mail.source` is the envelope sender with its token."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Report(kind=BounceClass.UNKNOWN, words="no notification of Amazon SES")
    tokens = tuple(token.lower() for token in tokens_in([str(_inside(told, "mail").get("source", "")), text]))
    match told.get("notificationType") or told.get("eventType"):
        case "Bounce":
            return _bounce(_inside(told, "bounce"), tokens)
        case "Complaint":
            return _complaint(_inside(told, "complaint"), tokens)
        case "Delivery":
            return Report(kind=BounceClass.DELIVERED, tokens=tokens)
        case "DeliveryDelay":
            return Report(kind=BounceClass.DELAYED, tokens=tokens)
    return Report(kind=BounceClass.UNKNOWN, words="nothing that Amazon SES tells of bounces", tokens=tokens)


def _bounce(bounce: Mapping[str, Any], tokens: tuple[str, ...]) -> Report:
    people = _people(bounce, "bouncedRecipients")
    said = [(_text(each, "status"), _text(each, "diagnosticCode").removeprefix("smtp;").strip()) for each in people]
    fates = [judged("failed", status, words) for status, words in said if status or words]
    beside = _BY_SUBTYPE.get(_text(bounce, "bounceSubType"))
    kinds = [kind for kind, _ in fates] + ([beside] if beside else [])
    match _text(bounce, "bounceType"):
        case "Permanent":
            kind = mildest(kinds) if kinds else BounceClass.OTHER
        case "Transient" if kinds:
            kind = mildest([*kinds, BounceClass.MAILBOX])
        case "Transient":
            kind = BounceClass.REPLY  # SES counts answers of machines among these
        case _:
            kind = BounceClass.UNKNOWN
    return Report(
        kind=kind,
        status=fates[0][1] if fates else "",
        words=plain_line(" ".join(filter(None, (said[0][1] if said else "", _text(bounce, "bounceSubType"))))),
        tokens=tokens,
        recipients=tuple(filter(None, (_text(each, "emailAddress").lower() for each in people))),
    )


def _complaint(complaint: Mapping[str, Any], tokens: tuple[str, ...]) -> Report:
    kind = complaint.get("complaintFeedbackType")
    # A message that SES did not send because of its own list is none of a person.
    theirs = kind in _COMPLAINTS and not complaint.get("complaintSubType")
    words = plain_line(f"feedback-type: {kind or 'not told'}")
    return Report(kind=BounceClass.COMPLAINT if theirs else BounceClass.UNKNOWN, words=words, tokens=tokens)


def _people(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    return [each for each in found[:_MOST] if isinstance(each, dict)] if isinstance(found, list) else []


def _inside(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return " ".join(found.split())[:1000] if isinstance(found, str) else ""
