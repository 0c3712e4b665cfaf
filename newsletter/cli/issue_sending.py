"""`newsletter issue proof`, `send`, `status` and `recipients`: an issue on its way and what became of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from newsletter.cli.console import (
    DeskCommand,
    as_json,
    issue_argument,
    open_room,
    print_json,
    print_table,
    who,
)

if TYPE_CHECKING:
    from newsletter.model import Books, IssueId
    from newsletter.newsroom import Newsroom
    from newsletter.storage import Wave

__all__ = ["proof", "recipients", "send", "status"]

_GLANCE, _LINE = 0.5, 5.0
"""Seconds between two looks at a send of another process: for a bar, and for lines in a file."""


@click.command(cls=DeskCommand)
@issue_argument
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
def proof(issue_id: IssueId, addresses: tuple[str, ...]) -> int:
    """Mail the issue to editors, its subject marked [Proof]."""
    from newsletter.newsroom.issue import proofs

    with open_room() as room:
        outcomes = proofs.proof(room, issue_id, addresses)
    for address, outcome in outcomes:
        click.echo(f"{address}: {outcome.state}  {outcome.reply}")
    return 0 if all(outcome.state == "submitted" for _, outcome in outcomes) else 1


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--dry-run", is_flag=True, help="Count the readers of each edition; send nothing.")
@click.option("--wait", is_flag=True, help="Stay for the deferred deliveries, too.")
@click.option("--retry-now", is_flag=True, help="Try deferred deliveries without waiting for their time.")
@as_json
def send(issue_id: IssueId, dry_run: bool, wait: bool, retry_now: bool, as_json: bool) -> int:
    """Send now what is approved and not yet settled, also the rest of what was stopped; safe to repeat after any crash,
    and from several processes.

    Ends with 0 when all is settled, 3 without an approval, 4 when it was settled before, 5 when deferred or
    unknown deliveries remain.
    """
    from newsletter.newsroom.dispatch import sending
    from newsletter.newsroom.documents import books_document
    from newsletter.newsroom.people import telling

    with open_room() as room:
        if dry_run:
            counts = sending.dry_run(room, issue_id)
            if as_json:
                print_json(counts)
            else:
                print_table(("edition", "readers"), list(counts.items()), "Nobody would get it.")
            return 0
        with _progress(not as_json) as progress:
            books = sending.send(
                room, issue_id, wait=wait, retry_now=retry_now, resume=True, who=who(None), progress=progress
            )
        telling.tell_of(room, issue_id)  # a desk without a clock tells its people all the same
        waves = room.deliveries.waves(issue_id, room.clock.now())
        if as_json:
            print_json(books_document(books, waves))
        else:
            _print_books(books, waves)
            if waves:
                click.echo(
                    f"The next wave leaves at {waves[0].at:%Y-%m-%d %H:%M} UTC: `newsletter run` sends it, and so does"
                    f" `newsletter issue send {issue_id}` from then on"
                )
            if not room.settings.smtp_url:
                click.echo(f"The mail lies in {room.outbox / issue_id.newsletter}")
    return 5 if sending.deliveries_left(books) else 0


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--follow", is_flag=True, help="Watch it being sent, by whatever process.")
@as_json
def status(issue_id: IssueId, follow: bool, as_json: bool) -> None:
    """Print the books: candidates, who was left out and why, and what became of each message."""
    from newsletter.newsroom.documents import status_document

    with open_room() as room:
        if follow:
            with suppress(KeyboardInterrupt):
                _follow(room, issue_id)
        if as_json:
            print_json(status_document(room, issue_id))
            return
        books = room.issues.books(issue_id)
        waves = room.deliveries.waves(issue_id, room.clock.now())
        revisions = room.deliveries.revisions(issue_id) if room.issues.get(issue_id).revision > 1 else {}
    _print_books(books, waves)
    if len(revisions) > 1:
        told = ", ".join(f"{number:,} revision {each}" for each, number in sorted(revisions.items()))
        click.echo(f"  it was corrected: {told}")


@click.command(cls=DeskCommand)
@issue_argument
@click.option("--state", metavar="STATE", help="Only deliveries in this state, for example unknown.")
@as_json
def recipients(issue_id: IssueId, state: str | None, as_json: bool) -> None:
    """List who was mailed: state, time, the mail server's own words, Message-ID."""
    from newsletter.errors import InputError
    from newsletter.model import DeliveryState

    try:
        wanted = DeliveryState(state) if state else None
    except ValueError:
        raise InputError(f"{state!r} is no delivery state; there are {', '.join(DeliveryState)}") from None
    with open_room() as room:
        rows = list(room.deliveries.rows(issue_id, wanted))
    if as_json:
        print_json([row.as_json() for row in rows])
    else:
        print_table(
            ("recipient", "edition", "state", "tries", "the server's words"),
            [(row.email, row.edition, row.state, row.attempts, row.reply) for row in rows],
            "No such delivery.",
        )


def _print_books(books: Books, waves: Sequence[Wave]) -> None:
    click.secho(f"{books.issue}  {books.state}", bold=True)
    click.echo(f"  candidates {books.candidates}")
    for reason, count in books.excluded.items():
        if count:
            click.echo(f"  - {reason} {count}")
    for state, count in books.deliveries.items():
        if count:
            click.echo(f"  = {state} {count}")
    for place, wave in enumerate(waves):
        which = "next wave" if place == 0 else "then"
        click.echo(f"    {which} {wave.at:%Y-%m-%d %H:%M} UTC: {wave.readers:,} readers")
    click.echo("  the books balance" if books.balanced else click.style("  THE BOOKS DO NOT BALANCE", fg="red"))


@contextmanager
def _progress(wanted: bool) -> Iterator[Callable[[Mapping[str, int]], None] | None]:
    """A bar over the deliveries with rate and time left, where standard error is a terminal."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from newsletter.newsroom.dispatch.watching import Meter

    meter = Meter()
    with click.progressbar(
        length=0, label="sending", file=sys.stderr, show_pos=True, item_show_func=lambda words: words or ""
    ) as bar:

        def show(counts: Mapping[str, int]) -> None:
            progress = meter.read(counts)
            bar.length = progress.total
            bar.update(progress.settled - bar.pos, current_item=progress.words)

        yield show


def _follow(room: Newsroom, issue_id: IssueId) -> None:
    """Show how the issue goes for as long as anybody sends it: a bar on a terminal, else a line now and then."""
    from newsletter.model import IssueState

    with _progress(wanted=True) as show:
        while True:
            counts = room.deliveries.counts(issue_id)
            if show is not None:
                show(counts)
            else:
                words = ", ".join(f"{number:,} {state}" for state, number in counts.items())
                click.echo(words or "nothing yet", err=True)
            if room.issues.get(issue_id).state not in (IssueState.APPROVED, IssueState.SENDING):
                return
            time.sleep(_GLANCE if show is not None else _LINE)
