"""`newsletter demo`."""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from newsletter.model import IssueId
    from newsletter.newsroom import Newsroom

NEWSLETTER = "asia-ai-daily"


@click.command()
@click.option("--once", is_flag=True, help="End after sending, without serving the web pages.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def demo(once: bool, port: int) -> int:
    """A desk in a temporary folder with sample stories: gathers, builds, renders, sends to the outbox, then serves
    the web pages with the desk's clock. It mails nobody, whatever your settings say."""
    from newsletter.newsroom import Newsroom, desks

    folder = Path(tempfile.mkdtemp(prefix="newsletter-demo-"))
    port = port if once else _free_port(port)
    made = desks.make_sample_desk(folder)
    # The environment is left out: a demo must not reach the mail server that somebody has set up there.
    with Newsroom.open(folder, {"base_url": f"http://127.0.0.1:{port}"}, environ={}) as room:
        click.echo(f"A desk stands in {folder}")
        click.echo(f"readers    {desks.fill_with_samples(room)} on the list")
        issue_id = _one_issue(room)
        fullest = max((room.outbox / NEWSLETTER).rglob("*.eml"), key=lambda path: path.stat().st_size)
        click.echo(f"mail       {fullest.parent}")
        click.echo(f"           open one in a mail reader, for example {fullest.name}")
        if once:
            return 0
        assert made.admin is not None
        from newsletter.schedule.clockwork import Clockwork, SenderLoop
        from newsletter.web.serve import WebServer

        link = room.accounts.make_login_link(made.admin, room.clock.now())
        click.echo(f"\nLook: {room.settings.base_url}/login/link/{link}")
        click.echo(f"      (logs you in once; the issue is {issue_id}; Ctrl-C ends)")
        # With its clock: who signs up on the page finds their mail in the outbox.
        with ExitStack() as parts:
            for part in (Clockwork(room), SenderLoop(room)):
                part.start()
                parts.callback(part.stop)
            WebServer(room, "127.0.0.1", port).run()
    return 0


def _one_issue(room: Newsroom) -> IssueId:
    """The main job, a line a step."""
    from newsletter.newsroom.dispatch import sending
    from newsletter.newsroom.intake import gathering
    from newsletter.newsroom.issue import issues, preflight, previews

    for polled in gathering.gather_all(room, gathering.polled_sources(room)):
        if polled.gathered is None:
            raise click.ClickException(polled.error or "nothing was gathered")
        click.echo(f"gathered   {polled.gathered.ingested.new} stories from {polled.source}")
    issue = issues.build(room, NEWSLETTER, who="demo")
    assert issue.snapshot is not None
    count, countries = len(issue.snapshot.placed), len(issue.snapshot.sections)
    click.echo(f"composed   {issue.id}: {count} stories from {countries} countries, {issue.state}")
    reaches = previews.editions(room, issue)
    click.echo(f"rendered   {len(reaches)} editions; the most read goes to {reaches[0].readers} readers")
    for finding, places in preflight.grouped(preflight.check(room, issue.id)):
        click.echo(f"check      {finding.severity}: {finding.message} ({'; '.join(places)})")
    issues.approve(room, issue.id, "editor@example.com")
    click.echo("approved   by editor@example.com")
    books = sending.send(room, issue.id)
    excluded = sum(books.excluded.values())
    click.echo(
        f"sent       {books.deliveries['submitted']} messages to the outbox; {books.candidates} candidates,"
        f" {excluded} left out; the books {'balance' if books.balanced else 'DO NOT BALANCE'}"
    )
    return issue.id


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = int(probe.getsockname()[1])
        if wanted and found != wanted:
            click.echo(f"port {wanted} is taken; using {found}")
        return found
    raise click.ClickException("no port is free on 127.0.0.1")
