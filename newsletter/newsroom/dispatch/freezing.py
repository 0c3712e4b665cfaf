"""The last step before mail leaves: the audience is frozen, a corrected rest taken up, a stopped send opened again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from sqlalchemy.engine import Connection

from newsletter import deliver, render
from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.model import (
    Edition,
    Issue,
    IssueState,
    Severity,
    Snapshot,
    StoryStatus,
)
from newsletter.newsroom.dispatch.audience import choose
from newsletter.newsroom.dispatch.ledgers import give_up_at, open_ledger
from newsletter.newsroom.dispatch.pacing import prove_relay
from newsletter.newsroom.dispatch.waves import waves_of
from newsletter.newsroom.issue import preflight
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import render_editions
from newsletter.ports import Transport
from newsletter.storage.clicks import keep_links
from newsletter.storage.editions import keep_editions, sealed_editions
from newsletter.tokens import Purpose

__all__ = ["approved_snapshot", "freeze", "reopen", "take_up"]


def freeze(room: Newsroom, issue: Issue, transport: Transport, stop: Callable[[], bool]) -> Issue:
    """The approved issue once its audience stands, or an error before anything is written down."""
    _look_once_more(room, issue)
    deliver.refuse_strangers(transport, room.settings, _audience_addresses(room, issue))
    prove_relay(room, transport, stop)  # one that nobody can reach is found out before anything is frozen
    _write_down(room, issue, transport)
    issue = room.issues.get(issue.id)
    if issue.state not in (IssueState.SENDING, IssueState.SUBMITTED):  # undone or stopped in this very moment
        raise NothingToDoError(f"{issue.id} is {issue.state} since a moment ago")
    return issue


def take_up(room: Newsroom, issue: Issue, transport: Transport, stop: Callable[[], bool]) -> Issue:
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
        if not room.sends.take_up(connection, issue.id, issue.approved_revision, sealed, now):
            raise NothingToDoError(f"messages of {issue.id} are still in flight, or again; repeat this in a moment")
    return room.issues.get(issue.id)


def reopen(room: Newsroom, issue: Issue, transport: Transport, who: str | None) -> Issue:
    """The frozen issue, whose rest is to be sent; one that is stopped only when `who` says so."""
    if issue.state is IssueState.STOPPED and who is None:
        raise NothingToDoError(f"{issue.id} is stopped; `newsletter issue send {issue.id}` sends the rest")
    # The settings may have changed since the freeze: whoever is left is looked at before each send.
    deliver.refuse_strangers(transport, room.settings, room.deliveries.addresses_left(issue.id))
    now = room.clock.now()
    if issue.state is IssueState.STOPPED and who is not None:
        room.issues.move(issue.id, (IssueState.STOPPED,), IssueState.SENDING, now=now, who=who, why="the rest")
    again = room.settings.on_unknown == "resend" and now <= give_up_at(room, room.issues.get(issue.id))
    if again and room.sends.requeue_unknown(issue.id, now):
        deliver.refuse_strangers(transport, room.settings, room.deliveries.addresses_left(issue.id))
    return room.issues.get(issue.id)


def approved_snapshot(issue: Issue) -> Snapshot:
    if issue.snapshot is None or issue.approved_revision != issue.revision:
        raise ChecksFailedError(f"{issue.id} changed after its approval; look at it and approve it again")
    return issue.snapshot


def _look_once_more(room: Newsroom, issue: Issue) -> None:
    """What may have changed since the approval: a story withdrawn, still under embargo at this hour, or another one by
    now at its source."""
    snapshot = approved_snapshot(issue)
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
    for found in preflight.changed_since(room, issue):
        raise ChecksFailedError(f"{issue.id}: {found.place}: {found.message} {found.fix}")


def _write_down(room: Newsroom, issue: Issue, transport: Transport) -> None:
    """Write down audience and editions in one transaction, or nothing at all."""
    snapshot = approved_snapshot(issue)
    assert issue.approved_revision is not None
    now = room.clock.now()
    with room.database.write() as connection:
        chosen = choose(room, connection, snapshot, waves_of(room, issue))
        deliver.refuse_strangers(transport, room.settings, chosen.addresses(connection))
        begun = room.sends.freeze(
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


def _seal_late(room: Newsroom, connection: Connection, issue: Issue, editions: Collection[Edition]) -> set[str]:
    """Seal under the same approval what is first needed now, and keep the links that are counted; returns
    the keys of all editions that are sealed.

    An edition in which a correction has left no story is none.
    """
    snapshot = approved_snapshot(issue)
    assert issue.approved_revision is not None
    sealed = sealed_editions(connection, issue.id, issue.approved_revision)
    late = sorted(each for each in editions if each.key not in sealed and _says_something(snapshot, each))
    if late:
        rendered = render_editions(room.templates, snapshot, late, room.settings.base_url)
        findings = render.preflight(snapshot, rendered, room.clock.now())
        if blocking := [found for found in findings if found.severity is Severity.BLOCKING]:
            raise ChecksFailedError(f"{issue.id}: {blocking[0].place}: {blocking[0].message} {blocking[0].fix}")
        keep_editions(connection, issue.id, issue.approved_revision, rendered)
        sealed = {**sealed, **{each.edition.key: each for each in rendered}}
    needed = {each.key for each in editions}
    mailed = [each for key, each in sealed.items() if key in needed]
    keep_links(connection, issue.id, issue.approved_revision, mailed, partial(room.signer.digest, Purpose.CLICK))
    return set(sealed)


def _says_something(snapshot: Snapshot, edition: Edition) -> bool:
    return bool(snapshot.sections_of(edition)) or snapshot.faulty is not None


def _audience_addresses(room: Newsroom, issue: Issue) -> Iterator[str]:
    with room.database.read() as connection:
        yield from choose(room, connection, approved_snapshot(issue)).addresses(connection)
