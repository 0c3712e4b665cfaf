"""An issue's message as an editor would get it: mailed as a proof, or shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from newsletter import deliver
from newsletter.model import (
    Issue,
    IssueId,
    Outcome,
    Recipient,
    RenderedEdition,
)
from newsletter.newsroom.dispatch.messages import bounce_domain, mail_headers
from newsletter.newsroom.issue import previews
from newsletter.newsroom.readership import readers
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import send_once
from newsletter.tokens import Purpose

__all__ = ["message_for", "proof"]


def proof(room: Newsroom, issue_id: IssueId, addresses: Sequence[str]) -> list[tuple[str, Outcome]]:
    """Mail the whole issue's edition to editors, marked as a proof; raises `NotLiveError` like any mail."""
    issue = room.issues.get(issue_id)
    rendered = previews.preview(room, issue_id)
    rendered = replace(rendered, subject=f"[Proof] {rendered.subject}")
    transport = room.transport(issue_id)
    deliver.refuse_strangers(transport, room.settings, addresses)
    compiled = deliver.compile_message(rendered, mail_headers(room, issue), keys=deliver.dkim_keys(room.settings))
    messages = [
        compiled.message(
            _proof_recipient(room, issue, rendered, number, address),
            readers.neutral_slots(room, issue_id, rendered.edition.key),
            deliver.envelope_sender(bounce_domain(room, issue), f"proof-{number}"),
        )
        for number, address in enumerate(addresses)
    ]
    return list(zip(addresses, send_once(transport, messages), strict=True))


def message_for(
    room: Newsroom,
    issue_id: IssueId,
    *,
    as_email: str | None = None,
    countries: Sequence[str] | None = None,
    language: str | None = None,
) -> bytes:
    """The whole RFC 5322 message that a preview stands for."""
    issue = room.issues.get(issue_id)
    rendered = previews.preview(room, issue_id, as_email=as_email, countries=countries, language=language)
    recipient = _proof_recipient(room, issue, rendered, 0, as_email or "reader@example.com")
    slots = readers.neutral_slots(room, issue_id, rendered.edition.key)
    if as_email is not None:
        subscriber = room.subscribers.find(as_email)
        recipient = recipient._replace(subscriber=subscriber.id, name=subscriber.name)
        slots = readers.links(room, issue_id, recipient)
    sender = deliver.envelope_sender(bounce_domain(room, issue), "preview")
    compiled = deliver.compile_message(rendered, mail_headers(room, issue), keys=deliver.dkim_keys(room.settings))
    return compiled.message(recipient, slots, sender).data


def _proof_recipient(room: Newsroom, issue: Issue, rendered: RenderedEdition, number: int, address: str) -> Recipient:
    now = room.clock.now()
    unique = room.signer.digest(Purpose.MESSAGE_ID, f"proof|{issue.id}|{address}|{now.isoformat()}")
    return Recipient(
        delivery=number,
        subscriber=0,
        email=address,
        name="",
        edition=rendered.edition.key,
        message_id=f"<{unique}@{previews.drafted(issue).sender.domain}>",
    )
