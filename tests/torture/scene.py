"""A desk with an approved issue, a server that remembers the truth, senders that die, and the comparison of both."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.model import DeliveryState
from newsletter.newsroom import Newsroom
from tests.deliver.fault_server import Fault, FaultServer
from tests.desks import approved_desk, readers_of

from .senders import run_sender

__all__ = ["Scene", "Verdict"]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.torture.senders", "newsletter.render.confined", "newsletter.deliver.smtp"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """The ledger against the server's own memory; addresses."""

    recipients: int
    submitted: int
    unknown: Sequence[str]
    phantom: Sequence[str]
    """Submitted by the ledger, and the server never took it."""
    lost: Sequence[str]
    """Neither taken nor in doubt, or not settled at all."""
    twice: Sequence[str]
    ledger_hash: str

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return not (self.phantom or self.lost or self.twice)

    def __str__(self) -> str:
        return (
            f"{self.recipients} recipients: {self.submitted} submitted, {len(self.unknown)} unknown,"
            f" {len(self.phantom)} phantom, {len(self.lost)} lost, {len(self.twice)} twice; ledger {self.ledger_hash}"
        )


@dataclass
class Scene:
    """`with Scene(folder, readers) as scene`: a desk in `folder`, a server on loopback, nobody sending yet.

    `database_url` is that of an empty PostgreSQL database; SQLite beside the desk by default.
    """

    folder: Path
    readers: int
    database_url: str = ""
    connections: int = 4
    resend: bool = False
    faults: list[Fault] = field(default_factory=list)
    delay: float = 0
    """Seconds that the server takes for each command."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """More of the environment of every sender."""

    def __enter__(self) -> Self:
        self.server = FaultServer(self.faults, delay=self.delay)
        started = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop = asyncio.new_event_loop()

        async def serve() -> None:
            self._stop = asyncio.Event()
            async with self.server:
                started.set()
                await self._stop.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        started.wait()
        self.issue = approved_desk(self.folder, self.environ, readers_of(self.readers))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    @property
    def environ(self) -> Mapping[str, str]:
        """The settings of every sender."""
        url = f"{self.server.url}?connections={self.connections}"
        chosen = {"NEWSLETTER_SMTP_URL": url, "NEWSLETTER_ON_UNKNOWN": "resend" if self.resend else "hold"}
        database = {"NEWSLETTER_DATABASE_URL": self.database_url} if self.database_url else {}
        return {**chosen, **database, **self.settings}

    def start(self, point: str = "", count: int = 1, retry: bool = False) -> BaseProcess:
        """A sender, once it is about to send."""
        ready = _FORKS.Event()
        words = (str(self.folder), str(self.issue), self.environ, ready, point, count, retry)
        process = _FORKS.Process(target=run_sender, args=words, daemon=True)
        process.start()
        while not ready.wait(0.1) and process.is_alive():
            pass
        return process

    def finish(self, tries: int = 20) -> None:
        """Senders that nobody kills, until the issue is settled."""
        for _ in range(tries):
            process = self.start(retry=True)
            process.join()
            if process.exitcode == 0 and self.settled:
                return
        raise AssertionError(f"not settled after {tries} senders")

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be sent."""
        with self.room() as room:
            counts = room.deliveries.counts(self.issue)
        left = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)
        return bool(counts) and not any(counts.get(state) for state in left)

    def verdict(self) -> Verdict:
        """What the ledger says, row by row, against what the server took; raises where the books do not balance."""
        with self.room() as room:
            books = room.issues.books(self.issue)
            counts = room.deliveries.counts(self.issue)
            rows = [(row.email, row.state) for row in room.deliveries.rows(self.issue)]
        assert books.balanced
        assert {state: number for state, number in books.deliveries.items() if number} == dict(counts)
        assert len(rows) == self.readers
        taken = self.server.taken
        submitted = [email for email, state in rows if state is DeliveryState.SUBMITTED]
        unknown = [email for email, state in rows if state is DeliveryState.UNKNOWN]
        settled = {*submitted, *unknown}
        text = "\n".join(f"{email} {state}" for email, state in rows)
        return Verdict(
            recipients=len(rows),
            submitted=len(submitted),
            unknown=unknown,
            phantom=[email for email in submitted if not taken[email]],
            lost=[email for email, _ in rows if email not in settled],
            twice=[email for email, number in taken.items() if number > 1],
            ledger_hash=hashlib.sha256(text.encode()).hexdigest()[:16],
        )

    def room(self) -> Newsroom:
        """The desk, with the settings of its senders."""
        return Newsroom.open(self.folder, environ=dict(self.environ))
