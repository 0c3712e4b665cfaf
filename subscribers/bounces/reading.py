"""What a returned message says. Pure: bytes in, a `Report` out, whatever the bytes are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from subscribers.bounces.codes import class_of_code, code_in
from subscribers.bounces.mime import Part, parts_of
from subscribers.bounces.model import FAILURES, BounceClass, Report
from subscribers.bounces.wording import class_of_words, is_bounce, is_delay, is_reply, reason_in

__all__ = ["judged", "mildest", "plain_line", "read", "tokens_in"]

# Hexadecimal, because some servers change the case of a local part. See `newsletter.newsroom.dispatch.messages`.
_TOKEN = re.compile(r"bounce\+([0-9a-f]{1,16}-[0-9a-f]{28})(?![0-9a-f])", re.IGNORECASE)
_LINK = re.compile(r"/unsubscribe/([\w-]{1,12}\.[\w-]{1,300}\.[\w-]{8,64})", re.ASCII)
_MOST_TOKENS = 8

_BLOCK = re.compile(r"\n[ \t]*\n")
_FIELD = re.compile(r"^[> \t]{0,4}([A-Za-z][\w-]{1,60})[ \t]{0,9}:[ \t]*(.*(?:\n[ \t]+\S.*){0,100})", re.MULTILINE)
_ABOUT = re.compile(r"^[> \t]{0,4}(?:final|original)-recipient[ \t]{0,9}:", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>;,\"']{1,250}@[^\s<>;,\"']{1,250}")
_LONGEST_WORDS = 400
_LONGEST_RECIPIENT = 1000
_MOST_RECIPIENTS = 50

_COMPLAINTS = ("abuse", "fraud", "opt-out")
_OLD_COMPLAINT = re.compile(r"complaint about message from", re.IGNORECASE)  # of Microsoft's JMRP, without a report


def read(data: bytes) -> Report:
    """What one message of the bounces' mailbox says; of what passes 1 MiB only the beginning is read. Never raises.

    Reports of machines come first: ARF (RFC 5965), DSN (RFC 3464), MDN (RFC 8098). Only without one do words count,
    and then answers in a person's absence (RFC 3834) before anything else.
    """
    parts = parts_of(data)
    places = _places(parts)
    report = _complaint(parts) or _status(parts) or _receipt(parts) or _in_words(parts)
    links = tokens_in(places, _LINK) if report.kind is BounceClass.COMPLAINT else ()
    return Report(
        kind=report.kind,
        status=report.status,
        words=plain_line(report.words),
        tokens=tuple(dict.fromkeys(token.lower() for token in tokens_in(places, _TOKEN))),
        links=links,
        recipients=report.recipients[:_MOST_RECIPIENTS],
    )


def tokens_in(places: Iterable[str], pattern: re.Pattern[str] = _TOKEN) -> tuple[str, ...]:
    """The first eight tokens that stand in these texts, each once."""
    found: dict[str, None] = {}
    for place in places:
        for match in pattern.finditer(place):
            found[match[1]] = None
            if len(found) == _MOST_TOKENS:
                return tuple(found)
    return tuple(found)


def judged(action: str, status: str, reason: str, aside: str = "") -> tuple[BounceClass, str]:
    """The class of one recipient's fate, and the enhanced code that it rests on.

    `action` and `status` are fields of RFC 3464, `reason` is the server's own words, `aside` what the report says to
    people: it is asked only where the server says nothing. The code in the server's words counts before `Status`, which
    many programs set to 5.0.0. Words may soften what a code says and never sharpen it: `5.1.1 blocked` blames nobody,
    `5.4.1 recipient rejected` suppresses nobody.
    """
    begins = action.strip().lower()[:7]
    if begins == "delayed":
        return BounceClass.DELAYED, code_in(status)
    if begins.startswith(("deliver", "relayed", "expande")):
        return BounceClass.DELIVERED, code_in(status)
    code = max((code_in(reason), code_in(status)), key=lambda each: bool(class_of_code(each)))
    by_code, by_words = class_of_code(code), class_of_words(reason)
    if by_words is None and (by_code is None or not reason):
        by_words = class_of_words(aside)
    kinds = [kind for kind in (by_code, by_words) if kind is not None]
    return mildest(kinds) if kinds else BounceClass.OTHER, code


def mildest(kinds: Sequence[BounceClass]) -> BounceClass:
    """Of several fates the one that says least against a person: arrived or waiting before any failure."""
    order = (BounceClass.DELIVERED, BounceClass.DELAYED, *FAILURES)
    return min(kinds, key=order.index)


def plain_line(words: str) -> str:
    """Printable, on one line, and short: it is shown to the desk's people."""
    return "".join(letter for letter in " ".join(words.split()) if letter.isprintable())[:_LONGEST_WORDS]


def _places(parts: Sequence[Part]) -> list[str]:
    """Where tokens may stand, the envelope of the bounce itself first: that is where it was sent to."""
    own, *rest = parts
    reports = [part.text for part in rest if part.kind.startswith("message/") and part.level == 0]
    return [own.text, *reports, *(part.text for part in rest)]


def _complaint(parts: Sequence[Part]) -> Report | None:
    found = next((part for part in parts if part.kind == "message/feedback-report"), None)
    if found is None:
        own = parts[0].header
        old = "staff@hotmail.com" in own.get("from", "").lower() and _OLD_COMPLAINT.search(own.get("subject", ""))
        return Report(kind=BounceClass.COMPLAINT, words="complaint") if old else None
    fields = _fields(found.text)
    kind = fields.get("feedback-type", "").strip().lower()
    words = f"feedback-type: {kind}"
    return Report(kind=BounceClass.COMPLAINT if kind in _COMPLAINTS else BounceClass.UNKNOWN, words=words)


def _status(parts: Sequence[Part]) -> Report | None:
    """What a delivery status notification says, also one that was forwarded, or whose MIME is broken."""
    reports = [part for part in parts if part.kind in ("message/delivery-status", "message/global-delivery-status")]
    reports = reports or [part for part in parts if part.kind.startswith("text/") and _ABOUT.search(part.text)]
    if not reports:
        return None
    nearest = min(part.level for part in reports)
    blocks = [
        fields
        for part in reports
        if part.level == nearest
        for fields in map(_fields, _BLOCK.split(part.text.strip())[: _MOST_RECIPIENTS + 1])
        if fields.keys() & {"final-recipient", "original-recipient", "action", "status"}
    ]
    aside = _human(parts)
    if not blocks:
        return None
    waits = is_delay(f"{parts[0].header.get('subject', '')} {aside}")
    fates = [_fate(each, aside, waits=waits) for each in blocks]
    kind = mildest([kind for kind, _ in fates])
    chosen = next(number for number, fate in enumerate(fates) if fate[0] is kind)
    named = ("original-recipient", "final-recipient")
    recipients = [_recipient(each.get(name, "")) for each in blocks for name in named]
    words = _reason(blocks[chosen]) or aside
    return Report(kind=kind, status=fates[chosen][1], words=words, recipients=tuple(filter(None, recipients)))


def _fate(fields: Mapping[str, str], aside: str, *, waits: bool) -> tuple[BounceClass, str]:
    """The fate of one recipient. Where the action was lost, the text may say that it `waits`; where the status was lost
    as well, the report is too broken to suppress anybody."""
    action, status = fields.get("action", ""), fields.get("status", "")
    if not action and waits:
        return BounceClass.DELAYED, code_in(status)
    kind, code = judged(action, status, _reason(fields), aside)
    return (kind if action or status else mildest([kind, BounceClass.OTHER])), code


def _receipt(parts: Sequence[Part]) -> Report | None:
    """A disposition notification: a person read it, or, as Dovecot writes, a full mailbox turned it away."""
    found = next((part for part in parts if part.kind == "message/disposition-notification"), None)
    if found is None:
        return None
    words = _human(parts)
    rejected = "deleted" in _fields(found.text).get("disposition", "").lower() and "rejected" in words.lower()
    full = rejected and class_of_words(words) is BounceClass.MAILBOX
    return Report(kind=BounceClass.MAILBOX if full else BounceClass.REPLY, words=words)


def _in_words(parts: Sequence[Part]) -> Report:
    """What a message without a report says in its subject and its text."""
    own = parts[0].header
    subject, sender = own.get("subject", ""), own.get("from", "")
    words = _human(parts)
    if is_reply(subject) or _answers(own, machine="x-failed-recipients" in own or is_bounce(sender, subject, words)):
        return Report(kind=BounceClass.REPLY, words=subject)
    if is_delay(f"{subject} {words}"):
        return Report(kind=BounceClass.DELAYED, words=words)
    if "x-failed-recipients" not in own and not is_bounce(sender, subject, words):
        return Report(kind=BounceClass.UNKNOWN, words=subject)
    kind, code = judged("failed", "", words, subject)
    return Report(kind=kind, status=code, words=words or subject)


def _answers(own: Mapping[str, str], *, machine: bool) -> bool:
    """Whether the header says that a program answered (RFC 3834, section 5, and what was usual before it).

    Exim's bounces are marked `auto-replied` as well: a mail server's own report is none.
    """
    if any(name in own for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from")):
        return True
    if own.get("precedence", own.get("x-precedence", "")).lower() in ("auto_reply", "auto-reply"):
        return True
    marked = own.get("auto-submitted", "no").lower().split(";")[0].strip() not in ("", "no")
    return not machine and (marked or "x-auto-response-suppress" in own)


def _human(parts: Sequence[Part]) -> str:
    """What the report says to people: its first texts, but not the message that came back."""
    said: list[str] = []
    for part in parts[1:]:
        if part.level > 0 and said:
            break
        if part.kind in ("text/plain", "text/html", "text/plain-text"):
            said.append(reason_in(part.text, html=part.kind == "text/html"))
        if part.kind == "text/rfc822-headers" or len(said) == 2:
            break
    return " ".join(filter(None, said))


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _FIELD.finditer(text[:64_000]):
        found.setdefault(match[1].lower(), " ".join(match[2].split()))
    return found


def _reason(fields: Mapping[str, str]) -> str:
    """The words of whoever refused, which some programs write behind the action or the status (RFC 822 comments)."""
    diagnostic = fields.get("diagnostic-code", "")
    kind, _, words = diagnostic.partition(";")
    said = words if words and len(kind) < 20 else diagnostic
    beside = " ".join(fields.get(name, "") for name in ("action", "status"))
    return said.strip() or fields.get("x400-supplementary-info", "") or (beside if len(beside) > 14 else "")


def _recipient(value: str) -> str:
    found = _ADDRESS.search((value.partition(";")[2] or value)[:_LONGEST_RECIPIENT])
    return found[0].lower() if found else ""
