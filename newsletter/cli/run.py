"""`newsletter run`."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from newsletter.cli.console import DeskCommand, open_room, whisper
from newsletter.errors import SettingError

if TYPE_CHECKING:
    from newsletter.newsroom import Newsroom
    from newsletter.web.serve import WebServer

USUAL_PORT = 8000


@click.command(cls=DeskCommand)
@click.option("--only", type=click.Choice(["web", "clock", "sender"]), help="Run one part; all three by default.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the web pages listen.")
@click.option("--port", type=click.IntRange(0, 65535), help="8000 by default, or a free one where that is taken.")
def run(only: str | None, host: str, port: int | None) -> None:
    """Run the desk: web pages, clock and sender, until SIGTERM or Ctrl-C.

    Any number of these processes may run on one desk: each slot is built once and each reader mailed once.
    """
    from newsletter.schedule.clockwork import Clockwork, SenderLoop

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("alembic", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a waking skipped while one runs is nothing to tell
    with open_room() as room, ExitStack() as parts:
        plan = room.plan  # a schedule that cannot be followed is said now, not at the first tick
        _ = room.database, room.signer
        click.echo(
            f"{room.desk}: {len(plan.newsletters)} newsletter{'s' if len(plan.newsletters) != 1 else ''}; "
            + ("LIVE" if room.settings.live else "not live: mail leaves this machine only to NEWSLETTER_TEST_ALLOW")
        )
        if room.clock.rehearsing:
            click.echo(
                f"rehearsing: it is {room.clock.now():%Y-%m-%d %H:%M:%S} UTC, at {room.settings.speed:g} × speed"
            )
        if only in (None, "clock"):
            clockwork = Clockwork(room)
            clockwork.start()
            parts.callback(clockwork.stop)
        if only in (None, "sender"):
            sender = SenderLoop(room)
            sender.start()
            parts.callback(sender.stop)
        if only in (None, "web"):
            server = _web_server(room, host, port)
            click.echo(f"web pages on http://{host}:{server.port}/")
            say_where_links_lead(room.settings.base_url, server.port)
            server.run()
        else:
            _wait_for_signal()


def _web_server(room: Newsroom, host: str, port: int | None) -> WebServer:
    """On the port asked for; on a free one when none was and another process of the desk has the usual one."""
    from newsletter.web.serve import WebServer

    try:
        return WebServer(room, host, USUAL_PORT if port is None else port)
    except SettingError:
        if port is not None:
            raise
        return WebServer(room, host, 0)


def say_where_links_lead(address: str, port: int) -> None:
    """Links of mails lead to NEWSLETTER_BASE_URL: on this machine, to a port where perhaps nobody listens."""
    base = urlsplit(address)
    if base.hostname in ("127.0.0.1", "localhost", "::1") and base.port != port:
        whisper(
            f"Links in mails lead to {address}, and these pages are on port {port}:"
            f" --port {base.port or 80}, or set NEWSLETTER_BASE_URL."
        )


def _wait_for_signal() -> None:
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()
