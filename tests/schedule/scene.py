"""A desk with several newsletters due at seven, a mail server that remembers the order, and the sender's loop."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.schedule.clockwork import SenderLoop
from newsletter.storage.tables import issue
from subscribers.signups import Terms
from tests.deliver.fault_server import FaultServer

__all__ = ["DAY", "Remembering", "approve", "make_desk", "sending", "serving", "submitted"]

DAY = date(2026, 5, 27)
HEAD = """\
version: 1
defaults:
  timezone: UTC
  at: "07:00"
  days: [mon, tue, wed, thu, fri]
  sender: {name: Desk, address: daily@example.com}
  postal_address: 1 Example Street
  template: briefing
  countries: [CN]
  stories: {min: 1}
sources:
  desk: {kind: folder, path: inbox}
newsletters:
"""
STORY = {"source": "desk", "external_id": "1", "url": "https://example.com/1", "title": "It goes on", "outlet": "Wire"}


@dataclass
class Remembering(FaultServer):
    """Keeps whom it took mail for, and when, in order; and how many lines were open at most."""

    order: list[tuple[str, float]] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    def fault(self, verb: str, recipient: str) -> str | None:
        action = super().fault(verb, recipient)
        if verb == "dot" and action is None:
            self.order.append((recipient.partition("-")[0], time.monotonic()))
        return action

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await super()._serve(reader, writer)
        finally:
            self.open -= 1


@contextmanager
def serving(server: Remembering) -> Iterator[None]:
    """The server on a thread of its own."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with server:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    started.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def make_desk(
    folder: Path,
    environ: dict[str, str],
    newsletters: dict[str, int],
    more: str = "",
    zone: Callable[[int], str] = lambda number: "",
) -> None:
    """A desk whose newsletters have so many readers each, named after them, and a draft for today.

    `more` is what schedule.yaml says of each newsletter beside its title, `zone` each reader's own.
    """
    desks.make_desk(folder)
    each = "".join(f"  {name}: {{title: {name.title()}{more}}}\n" for name in newsletters)
    (folder / "schedule.yaml").write_text(HEAD + each, encoding="utf-8")
    story = STORY | {"country": "CN", "published_at": "2026-05-27T01:00:00Z"}
    (folder / "inbox" / "1.json").write_text(json.dumps(story), encoding="utf-8")
    with (folder / "readers.csv").open("w", encoding="utf-8", newline="") as written:
        rows = csv.writer(written)
        rows.writerow(("email", "newsletters", "status", "consent_at", "timezone"))
        for name, readers in newsletters.items():
            for number in range(readers):
                consent = ("confirmed", "2026-01-01T00:00:00Z")
                rows.writerow((f"{name}-{number}@example.com", name, *consent, zone(number)))
    with Newsroom.open(folder, environ=environ | {"NEWSLETTER_NOW": "2026-05-27T05:30:00Z"}) as room:
        desks.upgrade(room)
        list(gathering.gather_all(room, gathering.polled_sources(room)))
        terms = Terms(known=frozenset(newsletters), newsletters=(), consent_source="test")
        room.subscribers.import_file(folder / "readers.csv", terms, room.clock.now())
        for name in newsletters:
            issues.build(room, name, DAY)


def approve(room: Newsroom, *names: str) -> None:
    """Approve issues whose hour has passed, without the minute that they wait for second thoughts then."""
    for name in names:
        issues.approve(room, IssueId(name, DAY), "chief")
    with room.database.write() as connection:
        connection.execute(sa.update(issue).values(not_before=None))


def submitted(room: Newsroom, *names: str) -> bool:
    return all(room.issues.get(IssueId(name, DAY)).state is IssueState.SUBMITTED for name in names)


@contextmanager
def sending(folder: Path, environ: dict[str, str], now: str = "2026-05-27T07:00:00Z") -> Iterator[Newsroom]:
    """The sender of `newsletter run`, when it is seven."""
    with Newsroom.open(folder, environ=environ | {"NEWSLETTER_NOW": now}) as room:
        _ = room.plan, room.database, room.signer
        loop = SenderLoop(room)
        loop.start()
        try:
            yield room
        finally:
            loop.stop()
