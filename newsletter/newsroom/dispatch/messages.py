"""What an issue's messages are made of: its header, and for each recipient the sealed bytes with their own slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from newsletter import deliver, render
from newsletter.deliver import DkimKey
from newsletter.errors import StorageError
from newsletter.model import (
    Issue,
    Message,
    Recipient,
    RenderedEdition,
    counted_address,
)
from newsletter.newsroom.issue.previews import drafted
from newsletter.newsroom.readership import envelopes, readers
from newsletter.newsroom.room import Newsroom
from newsletter.ports import Transport

__all__ = ["bounce_domain", "mail_headers", "message_maker"]


def message_maker(
    room: Newsroom, issue: Issue, transport: Transport, keys: Sequence[DkimKey]
) -> Callable[[Recipient], Message]:
    """How a recipient's message is made from the sealed bytes; refuses bytes that are not the approved ones."""
    headers = mail_headers(room, issue)
    domain = bounce_domain(room, issue)

    @cache
    def sealed(revision: int) -> Mapping[str, RenderedEdition]:
        return room.seals.editions(issue.id, revision)

    @cache
    def compiled(revision: int, key: str) -> deliver.SplicedEdition:
        if key not in sealed(revision):
            raise StorageError(f"edition {key} of {issue.id} was never approved in revision {revision}")
        fixed = readers.shared(room, issue.id, key)
        return deliver.compile_message(_as_mailed(room, issue, revision, sealed(revision)[key]), headers, fixed, keys)

    def make(recipient: Recipient) -> Message:
        deliver.refuse_strangers(transport, room.settings, (recipient.email,))  # who was queued again since it began
        token = envelopes.token_of(room, recipient.delivery, recipient.email)
        slots = readers.personal(room, issue.id, recipient)
        spliced = compiled(recipient.revision, recipient.edition)
        return spliced.message(recipient, slots, deliver.envelope_sender(domain, token))

    return make


def _as_mailed(room: Newsroom, issue: Issue, revision: int, sealed: RenderedEdition) -> RenderedEdition:
    """The sealed edition, its links to stories by way of ours where they are counted."""
    if not sealed.links:
        return sealed
    keys = room.clicks.keys(issue.id, revision, sealed.edition.key)
    base = room.settings.base_url
    return render.with_counted_links(sealed, {story: counted_address(base, key) for story, key in keys.items()})


def mail_headers(room: Newsroom, issue: Issue) -> deliver.MailHeaders:
    """The header of an issue's messages, from what was frozen: its newsletter may have left schedule.yaml since."""
    snapshot = drafted(issue)
    newsletter = room.plan.newsletters.get(snapshot.newsletter)
    public = newsletter is not None and newsletter.archive == "public"
    return deliver.MailHeaders(
        issue=issue.id,
        title=snapshot.title,
        sender=snapshot.sender,
        list_domain=snapshot.sender.domain,
        date=issue.frozen_at or room.clock.now(),
        archive_url=f"{room.settings.base_url}/archive/{snapshot.newsletter}/" if public else None,
        unsubscribe_mailto=room.settings.unsubscribe_mailto,
    )


def bounce_domain(room: Newsroom, issue: Issue) -> str:
    return room.settings.bounce_domain or drafted(issue).sender.domain
