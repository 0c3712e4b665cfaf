"""Mail out: proofs, and the sending of an approved issue with books that balance."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy.engine import Connection

from newsletter import deliver, render
from newsletter.deliver import DkimKey
from newsletter.errors import ChecksFailedError, NothingToDoError, RefusingError, StorageError
from newsletter.model import (
    UNSETTLED,
    Books,
    DeliveryState,
    Edition,
    Issue,
    IssueId,
    IssueState,
    Message,
    Outcome,
    Recipient,
    RenderedEdition,
    Severity,
    Snapshot,
    StoryStatus,
)
from newsletter.newsroom import issues, readers
from newsletter.newsroom.alerts import alert
from newsletter.newsroom.audience import choose
from newsletter.newsroom.pacing import forget_spread, pacing_of, prove_relay
from newsletter.newsroom.reconciling import refuse_forgetful
from newsletter.newsroom.room import Newsroom
from newsletter.newsroom.waves import last_wave, waves_of
from newsletter.pipeline import deliver_issue, render_editions, send_once
from newsletter.plan import deliver_by_at
from newsletter.ports import Transport
from newsletter.storage import IssueLedger
from newsletter.storage.editions import keep_editions, sealed_editions
from newsletter.storage.reconciling import take_part
from newsletter.tokens import Purpose
from subscribers.audience import still_wanted

__all__ = ["deliveries_left", "dry_run", "has_work", "message_for", "open_ledger", "proof", "send"]

LEAST_TIME = timedelta(hours=4)

Progress = Callable[[Mapping[str, int]], None]


def send(
    room: Newsroom,
    issue_id: IssueId,
    *,
    wait: bool = False,
    retry_now: bool = False,
    resume: bool = False,
    who: str = "sender",
    stop: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
) -> Books:
    """Send what is approved and not yet settled; safe to repeat after any crash, and from several processes.

    With `resume`, which is for a person (`who`) to say, also the rest of what is stopped when this begins.

    Raises `ChecksFailedError` for an issue without approval, `NothingToDoError` for a settled one,
    `NotLiveError` before anything is frozen, `TransportError` when the server takes nothing, `StorageError` when the
    database is full, gone, or an old backup.
    """
    issue = _sendable(room, issue_id)
    refuse_forgetful(room, issue_id)
    transport = _transport(room, issue_id)
    keys = deliver.dkim_keys(room.settings)
    if issue.state is IssueState.APPROVED:
        begin = _frozen if issue.frozen_at is None else _taken_up
        issue = begin(room, issue, transport, stop)
    else:
        issue = _reopened(room, issue, transport, who if resume else None)
    give_up_at, give_up_after = _give_up_at(room, issue), _give_up_after(room, issue)
    now = room.clock.now()
    if retry_now:
        room.deliveries.retry_now(issue_id, now)
        give_up_at, give_up_after = max(give_up_at, now + LEAST_TIME), timedelta.max
    if now > give_up_at:
        room.deliveries.expire(issue_id, now)
    take_part(room.database, room.journal, issue_id)
    pacing = pacing_of(room, issue)
    with open_ledger(room, issue, give_up_at, give_up_after) as ledger:
        try:
            deliver_issue(
                ledger,
                transport,
                _message_maker(room, issue, transport, keys),
                room.clock,
                pace=pacing.pace,
                spread=pacing.spread,
                lines=pacing.lines,
                threads=(os.cpu_count() or 1) if keys else 0,
                wait=wait,
                stop=stop,
                progress=progress,
            )
        except RefusingError as error:
            room.deliveries.stop(issue_id, now=room.clock.now(), who="breaker", why=str(error))
            alert(room, "stopped", issue_id, f"{error}; `newsletter issue send {issue_id}` sends the rest")
            raise
        finally:
            _settle(room, issue_id)
    return room.issues.books(issue_id)


def open_ledger(
    room: Newsroom,
    issue: Issue,
    give_up_at: datetime | None = None,
    give_up_after: timedelta = timedelta.max,
) -> IssueLedger:
    """One more sender's ledger of a frozen issue; what is deferred beyond `give_up_at`, or has been tried for longer
    than `give_up_after`, expires."""
    return IssueLedger(
        room.database,
        issue.id,
        flights=room.desk / ".flights",
        journal=room.journal,
        wanted=_still_wanted(room, issue.id),
        backoff=deliver.backoff,
        give_up_at=give_up_at or _give_up_at(room, issue),
        give_up_after=give_up_after,
        resend=room.settings.on_unknown == "resend",
    )


def dry_run(room: Newsroom, issue_id: IssueId) -> Mapping[str, int]:
    """How many readers of each edition (by key), and how many of each exclusion, a send would freeze now."""
    issue = _sendable(room, issue_id)
    snapshot = _approved_snapshot(issue)
    with room.database.read() as connection:
        chosen = choose(room, connection, snapshot)
    readers = {edition.key: number for edition, number in chosen.readers.items()}
    return readers | {f"excluded: {reason}": number for reason, number in chosen.excluded.items()}


def proof(room: Newsroom, issue_id: IssueId, addresses: Sequence[str]) -> list[tuple[str, Outcome]]:
    """Mail the whole issue's edition to editors, marked as a proof; raises `NotLiveError` like any mail."""
    issue = room.issues.get(issue_id)
    rendered = issues.preview(room, issue_id)
    rendered = replace(rendered, subject=f"[Proof] {rendered.subject}")
    transport = _transport(room, issue_id)
    deliver.refuse_strangers(transport, room.settings, addresses)
    compiled = deliver.compile_message(rendered, _headers(room, issue), keys=deliver.dkim_keys(room.settings))
    messages = [
        compiled.message(
            _proof_recipient(room, issue, rendered, number, address),
            readers.neutral_slots(room, issue_id, rendered.edition.key),
            deliver.envelope_sender(_bounce_domain(room, issue), f"proof-{number}"),
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
    rendered = issues.preview(room, issue_id, as_email=as_email, countries=countries, language=language)
    recipient = _proof_recipient(room, issue, rendered, 0, as_email or "reader@example.com")
    slots = readers.neutral_slots(room, issue_id, rendered.edition.key)
    if as_email is not None:
        subscriber = room.subscribers.find(as_email)
        recipient = replace(recipient, subscriber=subscriber.id, name=subscriber.name)
        slots = readers.links(room, issue_id, recipient)
    sender = deliver.envelope_sender(_bounce_domain(room, issue), "preview")
    compiled = deliver.compile_message(rendered, _headers(room, issue), keys=deliver.dkim_keys(room.settings))
    return compiled.message(recipient, slots, sender).data


def has_work(room: Newsroom, issue: Issue, now: datetime) -> bool:
    """Whether a send of a frozen issue would find something to do at this moment."""
    if room.deliveries.anything_due(issue.id, now):
        return True
    counts = room.deliveries.counts(issue.id)
    if not any(counts.get(state, 0) for state in UNSETTLED):
        return True
    return bool(counts.get(DeliveryState.DEFERRED)) and now > _give_up_at(room, issue)


def deliveries_left(books: Books) -> bool:
    """Whether deferred or unknown deliveries remain."""
    return any(books.deliveries.get(state, 0) for state in (*UNSETTLED, DeliveryState.UNKNOWN))


def _sendable(room: Newsroom, issue_id: IssueId) -> Issue:
    issue = room.issues.get(issue_id)
    match issue.state:
        case IssueState.APPROVED | IssueState.SENDING | IssueState.STOPPED:
            return issue
        case IssueState.SUBMITTED:
            raise NothingToDoError(f"{issue_id} was handed to the mail server at {issue.settled_at:%Y-%m-%d %H:%M} UTC")
        case _:
            because = f" ({issue.reason})" if issue.reason else ""
            raise ChecksFailedError(
                f"{issue_id} is {issue.state}{because}, not approved; `newsletter issue approve {issue_id}` seals it"
            )


def _transport(room: Newsroom, issue_id: IssueId) -> Transport:
    return deliver.open_transport(room.settings, deliver.outbox_folder(room.desk, issue_id))


def _frozen(room: Newsroom, issue: Issue, transport: Transport, stop: Callable[[], bool]) -> Issue:
    """The approved issue once its audience stands, or an error before anything is written down."""
    _look_once_more(room, issue)
    deliver.refuse_strangers(transport, room.settings, _audience_addresses(room, issue))
    prove_relay(room, transport, stop)  # one that nobody can reach is found out before anything is frozen
    _freeze(room, issue, transport)
    issue = room.issues.get(issue.id)
    if issue.state is IssueState.STOPPED:  # in the moment since it was frozen
        raise NothingToDoError(f"{issue.id} was stopped")
    return issue


def _taken_up(room: Newsroom, issue: Issue, transport: Transport, stop: Callable[[], bool]) -> Issue:
    """The corrected issue, whose rest is to be sent in its approved revision."""
    assert issue.approved_revision is not None
    _look_once_more(room, issue)
    deliver.refuse_strangers(transport, room.settings, room.deliveries.addresses_left(issue.id))
    prove_relay(room, transport, stop)
    now = room.clock.now()
    with open_ledger(room, issue) as ledger:
        ledger.recover(now)
    with room.database.write() as connection:
        left = [Edition.parse(key) for key in room.deliveries.editions(connection, issue.id, left=True)]
        sealed = _seal_late(room, connection, issue, left)
        if not room.deliveries.take_up(connection, issue.id, issue.approved_revision, sealed, now):
            raise NothingToDoError(f"messages of {issue.id} are still in flight, or again; repeat this in a moment")
    return room.issues.get(issue.id)


def _reopened(room: Newsroom, issue: Issue, transport: Transport, who: str | None) -> Issue:
    """The frozen issue, whose rest is to be sent; one that is stopped only when `who` says so."""
    if issue.state is IssueState.STOPPED and who is None:
        raise NothingToDoError(f"{issue.id} is stopped; `newsletter issue send {issue.id}` sends the rest")
    # The settings may have changed since the freeze: whoever is left is looked at before each send.
    deliver.refuse_strangers(transport, room.settings, room.deliveries.addresses_left(issue.id))
    now = room.clock.now()
    if issue.state is IssueState.STOPPED and who is not None:
        room.issues.move(issue.id, (IssueState.STOPPED,), IssueState.SENDING, now=now, who=who, why="the rest")
    again = room.settings.on_unknown == "resend" and now <= _give_up_at(room, room.issues.get(issue.id))
    if again and room.deliveries.requeue_unknown(issue.id, now):
        deliver.refuse_strangers(transport, room.settings, room.deliveries.addresses_left(issue.id))
    return room.issues.get(issue.id)


def _look_once_more(room: Newsroom, issue: Issue) -> None:
    """What may have changed since the approval: a story withdrawn, or still under embargo at this hour."""
    snapshot = _approved_snapshot(issue)
    now = room.clock.now()
    statuses = room.stories.statuses([placed.story.id for placed in snapshot.placed])
    for placed in snapshot.placed:
        story = placed.story
        if story.embargo is not None and story.embargo > now:
            raise ChecksFailedError(f"{issue.id}: {story.id} is under embargo until {story.embargo:%Y-%m-%d %H:%M} UTC")
        if statuses.get(story.id) is not StoryStatus.READY and snapshot.faulty is None:
            standing = statuses.get(story.id, "gone")
            raise ChecksFailedError(
                f"{issue.id}: {story.id}, or a copy of it, is {standing} by now; build the issue again"
            )


def _freeze(room: Newsroom, issue: Issue, transport: Transport) -> None:
    """Write down audience and editions in one transaction, or nothing at all."""
    snapshot = _approved_snapshot(issue)
    assert issue.approved_revision is not None
    now = room.clock.now()
    with room.database.write() as connection:
        chosen = choose(room, connection, snapshot, waves_of(room, issue))
        deliver.refuse_strangers(transport, room.settings, chosen.addresses(connection))
        begun = room.deliveries.freeze(
            connection,
            issue.id,
            issue.approved_revision,
            chosen.recipients(),
            excluded=chosen.excluded,
            now=now,
            message_seed=room.signer.digest(Purpose.MESSAGE_ID, str(issue.id)),
            message_domain=snapshot.sender.domain,
        )
        if not begun:
            return
        _seal_late(room, connection, issue, chosen.readers)


def _seal_late(room: Newsroom, connection: Connection, issue: Issue, editions: Iterable[Edition]) -> set[str]:
    """Seal under the same approval what is first needed now; returns the keys of all that are sealed.

    An edition in which a correction has left no story is none.
    """
    snapshot = _approved_snapshot(issue)
    assert issue.approved_revision is not None
    sealed = set(sealed_editions(connection, issue.id, issue.approved_revision))
    late = sorted(each for each in editions if each.key not in sealed and _says_something(snapshot, each))
    if late:
        rendered = render_editions(room.templates, snapshot, late, room.settings.base_url)
        findings = render.preflight(snapshot, rendered, room.clock.now())
        if blocking := [found for found in findings if found.severity is Severity.BLOCKING]:
            raise ChecksFailedError(f"{issue.id}: {blocking[0].place}: {blocking[0].message} {blocking[0].fix}")
        keep_editions(connection, issue.id, issue.approved_revision, rendered)
    return sealed | {each.key for each in late}


def _says_something(snapshot: Snapshot, edition: Edition) -> bool:
    return bool(snapshot.sections_of(edition)) or snapshot.faulty is not None


def _audience_addresses(room: Newsroom, issue: Issue) -> Iterator[str]:
    with room.database.read() as connection:
        yield from choose(room, connection, _approved_snapshot(issue)).addresses(connection)


def _still_wanted(room: Newsroom, issue_id: IssueId) -> Callable[[Connection, Sequence[int]], set[int]]:
    return lambda connection, ids: still_wanted(connection, issue_id.newsletter, ids)


def _message_maker(
    room: Newsroom, issue: Issue, transport: Transport, keys: Sequence[DkimKey]
) -> Callable[[Recipient], Message]:
    """How a recipient's message is made from the sealed bytes; refuses bytes that are not the approved ones."""
    headers = _headers(room, issue)
    domain = _bounce_domain(room, issue)

    @cache
    def sealed(revision: int) -> Mapping[str, RenderedEdition]:
        return room.issues.editions(issue.id, revision)

    @cache
    def compiled(revision: int, key: str) -> deliver.SplicedEdition:
        if key not in sealed(revision):
            raise StorageError(f"edition {key} of {issue.id} was never approved in revision {revision}")
        fixed = {"view": readers.view_address(room, issue.id, key)}
        return deliver.compile_message(sealed(revision)[key], headers, fixed, keys)

    def make(recipient: Recipient) -> Message:
        deliver.refuse_strangers(transport, room.settings, (recipient.email,))  # who was queued again since it began
        token = f"{recipient.delivery:x}-{room.signer.digest(Purpose.BOUNCE, str(recipient.delivery))[:28]}"
        slots = readers.personal(room, issue.id, recipient)
        spliced = compiled(recipient.revision, recipient.edition)
        return spliced.message(recipient, slots, deliver.envelope_sender(domain, token))

    return make


def _headers(room: Newsroom, issue: Issue) -> deliver.MailHeaders:
    """The header of an issue's messages, from what was frozen: its newsletter may have left schedule.yaml since."""
    snapshot = _drafted_snapshot(issue)
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


def _bounce_domain(room: Newsroom, issue: Issue) -> str:
    return room.settings.bounce_domain or _drafted_snapshot(issue).sender.domain


def _proof_recipient(room: Newsroom, issue: Issue, rendered: RenderedEdition, number: int, address: str) -> Recipient:
    now = room.clock.now()
    unique = room.signer.digest(Purpose.MESSAGE_ID, f"proof|{issue.id}|{address}|{now.isoformat()}")
    return Recipient(
        delivery=number,
        subscriber=0,
        email=address,
        name="",
        edition=rendered.edition.key,
        message_id=f"<{unique}@{_drafted_snapshot(issue).sender.domain}>",
    )


def _drafted_snapshot(issue: Issue) -> Snapshot:
    assert issue.snapshot is not None, "what is previewed, proofed or sent has a draft"
    return issue.snapshot


def _approved_snapshot(issue: Issue) -> Snapshot:
    if issue.snapshot is None or issue.approved_revision != issue.revision:
        raise ChecksFailedError(f"{issue.id} changed after its approval; look at it and approve it again")
    return issue.snapshot


def _give_up_at(room: Newsroom, issue: Issue) -> datetime:
    """When what is still deferred expires; where readers get it in waves, it counts from the last that can be."""
    newsletter = room.plan.newsletters.get(issue.id.newsletter)
    # What a person took up again, queued again or corrected has its time from then on.
    started = room.issues.begun_at(issue.id) or room.clock.now()
    slot = room.timetable.slot_of(newsletter, issue.id.date, issue.id.number) if newsletter else None
    deadline = deliver_by_at(slot, newsletter) if slot and newsletter else None
    last = max(deadline, started + LEAST_TIME) if deadline else started + timedelta(days=1)
    return last + last_wave(room, issue)


def _give_up_after(room: Newsroom, issue: Issue) -> timedelta:
    """How long one reader's message is tried where there are waves: from any wave as long as from the first."""
    last = last_wave(room, issue)
    return _give_up_at(room, issue) - last - issue.due_at if last else timedelta.max


def _settle(room: Newsroom, issue_id: IssueId) -> None:
    """Close the issue once nothing is queued, in flight or deferred and the books balance."""
    counts = room.deliveries.counts(issue_id)
    if not any(counts.get(state, 0) for state in UNSETTLED) and room.issues.books(issue_id).balanced:
        room.deliveries.settle(issue_id, room.clock.now())
        forget_spread(room, issue_id)
