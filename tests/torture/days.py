"""Days of a desk with many newsletters on one clock, in processes that are killed; and the account of all of it.

The clock is a file: whoever works on the desk reads it, and only the driver moves it, to the next instant at which
anything is due, once nothing more is to be done at this one.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import multiprocessing
import random
import re
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.clock import Clock
from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.model import DeliveryState, Issue, IssueId, IssueState
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.issue import issues
from newsletter.plan import build_at, slots_between
from newsletter.schedule import day
from newsletter.schedule.clockwork import SenderLoop
from subscribers.signups import Terms
from tests.deliver.fault_server import DROP, Fault, FaultServer

__all__ = ["Account", "Days"]

FIRST = date(2026, 3, 2)
COUNTRIES = ("CN", "JP", "KR", "IN", "SG", "ID", "VN", "TH", "MY", "PH", "TW", "AU")
HEAD = """\
version: 1
defaults:
  timezone: UTC
  days: [mon, tue, wed, thu, fri, sat, sun]
  sender: {name: Desk, address: daily@example.com}
  postal_address: 1 Example Street
  template: briefing
  archive: private
sources:
  desk: {kind: folder, path: inbox}
newsletters:
"""
AUTO = "{mode: auto}"
APPROVALS = (
    AUTO,
    '{mode: manual, by: "06:45"}',
    '{mode: manual, by: "06:40", on_timeout: send}',
    '{mode: manual, by: "06:45", on_timeout: skip}',
)
"""Of the newsletters in turn. An editor approves every second issue of those that are `manual`, and comes in time."""

STUCK = 90.0
"""Seconds in which nothing may fail to be done. A machine of its own needs one or two."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.torture.days", "newsletter.render.confined", "newsletter.deliver.smtp"])
_CLOCK = struct.Struct("<dd")


class FileClock:
    """Two numbers in a file: what time it is, and at what time the last whole tick of anybody began."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_CLOCK.pack(0, 0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _CLOCK.size)

    @property
    def shown(self) -> float:
        return float(_CLOCK.unpack(self._memory)[0])

    @property
    def ticked(self) -> float:
        return float(_CLOCK.unpack(self._memory)[1])

    def set(self, moment: datetime) -> None:
        self._memory[:8] = struct.pack("<d", moment.timestamp())

    def tick_done(self, began: float) -> None:
        self._memory[8:] = struct.pack("<d", began)

    def clock(self) -> Clock:
        return Clock(unix=lambda: self.shown)


def run_desk(folder: str, environ: Mapping[str, str]) -> None:
    """What `newsletter run` does, by the clock in the file: steps of the day, and mail beside them."""
    with Newsroom.open(Path(folder), environ=dict(environ)) as room:
        shared = FileClock(Path(folder) / "clock")
        room.clock = shared.clock()
        sender = SenderLoop(room)
        threading.Thread(target=_forever, args=(sender.send_due,), daemon=True).start()

        def tick() -> None:
            began = shared.shown
            day.tick(room)
            shared.tick_done(began)

        _forever(tick)


def _forever(step: Callable[[], None]) -> None:
    while True:
        with suppress(Exception):  # what a waking of the clock's survives, too
            step()
        time.sleep(0.05)


class _Seen(list[bytes]):
    """How often each Message-ID was taken, in place of the contents."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()

    def append(self, content: bytes) -> None:
        found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", content)
        self.ids[found[1].decode() if found else "none"] += 1


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all issues, and whatever is not as promised, in words."""

    states: Mapping[str, int]
    messages: int
    submitted: int
    unknown: int
    kills: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        states = ", ".join(f"{number} {state}" for state, number in sorted(self.states.items()))
        return (
            f"{sum(self.states.values())} issues: {states}; {self.messages} messages, {self.submitted} submitted,"
            f" {self.unknown} unknown; {self.kills} kills; {len(self.faults)} broken promises"
        )


@dataclass
class Days:
    """`with Days(...) as days: days.run(); print(days.account())`."""

    folder: Path
    days: int
    newsletters: int
    kills: int
    seed: int
    readers: int = 10
    processes: int = 2
    database_url: str = ""

    def __enter__(self) -> Self:
        self._dice = random.Random(self.seed)
        self._killed = 0
        self._seen = _Seen()
        faults = [Fault("dot", DROP, times=5, skip=40), Fault("dot", "451 4.2.0 later", times=10, skip=25)]
        self._server = FaultServer(faults, contents=self._seen)
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        started = threading.Event()

        async def serve() -> None:
            async with self._server:
                started.set()
                await self._over.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        started.wait()
        self._make_desk()
        self._running: list[BaseProcess] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running:
            process.kill()
            process.join()
        self._room.close()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def run(self, tell: Callable[[str], None] = lambda text: None) -> None:
        """Every day to its end; raises `AssertionError` with the issues that nothing moves any more."""
        self._running = [self._started() for _ in range(self.processes)]
        moment = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
        over = moment + timedelta(days=self.days)
        told = -1
        while moment < over:
            if (today := (moment.date() - FIRST).days) > told:
                self._bring_stories(today, moment)
                tell(f"day {today + 1} of {self.days}: {self._killed} kills, {sum(self._seen.ids.values())} messages")
                told = today
            self._show(moment)
            self._until_quiet()
            moment = self._next(moment)

    def account(self) -> Account:
        """What the desk's books say, against what the server took."""
        found = [issue for issue in self._room.issues.list() if issue.id.date < FIRST + timedelta(days=self.days)]
        faults = list(self._unfounded(found))
        counts: Counter[DeliveryState] = Counter()
        known: set[str] = set()
        for issue in found:
            books = self._room.issues.books(issue.id)
            if not books.balanced:
                faults.append(f"{issue.id}: the books do not balance: {books}")
            for row in self._room.deliveries.rows(issue.id):
                counts[row.state] += 1
                known.add(row.message_id)
                taken = self._seen.ids[row.message_id]
                right = {DeliveryState.SUBMITTED: taken == 1, DeliveryState.UNKNOWN: taken <= 1}.get(
                    row.state, taken == 0
                )
                if not right:
                    faults.append(f"{issue.id}: {row.email} is {row.state}, and was taken {taken} times")
        strange = sorted(mid for mid in self._seen.ids if self._seen.ids[mid] and mid not in known)
        faults += [f"{mid} was taken and stands in no books" for mid in strange]
        return Account(
            states=Counter(str(issue.state) for issue in found),
            messages=sum(self._seen.ids.values()),
            submitted=counts[DeliveryState.SUBMITTED],
            unknown=counts[DeliveryState.UNKNOWN],
            kills=self._killed,
            faults=tuple(faults),
        )

    def _unfounded(self, found: Sequence[Issue]) -> Iterator[str]:
        """Issues that are missing, twice, or stand where none may stand at the end of its day, or without a reason."""
        wanted = {
            (name, FIRST + timedelta(days=number))
            for name in self._room.plan.newsletters
            for number in range(self.days)
        }
        there = Counter((issue.id.newsletter, issue.id.date) for issue in found)
        yield from (
            f"{name}/{date} was made {there[name, date]} times" for name, date in wanted if there[name, date] != 1
        )
        for issue in found:
            ended = issue.state in (IssueState.SUBMITTED, IssueState.SKIPPED, IssueState.MISSED, IssueState.WAITING)
            if not ended or not (issue.reason or issue.state is IssueState.SUBMITTED):
                yield f"{issue.id} is {issue.state}: {issue.reason or 'no reason'}"
            elif issue.reason.startswith("not approved") and APPROVALS[int(issue.id.newsletter[1:]) % 4] == AUTO:
                yield f"{issue.id} waits for an approval that the schedule gives"

    def _make_desk(self) -> None:
        desks.make_desk(self.folder)
        lines = [
            f'  n{n}: {{title: N{n}, at: "07:{n // 4}0", countries: [{COUNTRIES[n]}], approval: {APPROVALS[n % 4]}}}'
            for n in range(self.newsletters)
        ]
        (self.folder / "schedule.yaml").write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
        self._clock = FileClock(self.folder / "clock")
        self._environ = {"NEWSLETTER_SMTP_URL": f"{self._server.url}?connections=2"}
        if self.database_url:
            self._environ["NEWSLETTER_DATABASE_URL"] = self.database_url
        self._room = Newsroom.open(self.folder, environ=dict(self._environ))
        self._room.clock = self._clock.clock()
        desks.upgrade(self._room)
        names = list(self._room.plan.newsletters)
        file = self.folder / "readers.csv"
        rows = [f"r{n}@example.com,confirmed,2026-01-01T00:00:00Z" for n in range(self.readers)]
        file.write_text("\n".join(["email,status,consent_at", *rows]), encoding="utf-8")
        terms = Terms(known=frozenset(names), newsletters=tuple(names), consent_source="test")
        self._room.subscribers.import_file(file, terms, datetime(2026, 3, 1, tzinfo=UTC))

    def _bring_stories(self, today: int, now: datetime) -> None:
        """Two of each country, but every fifth day none of the first."""
        lines = [
            json.dumps(
                {
                    "source": "desk",
                    "external_id": f"{today}-{country}-{number}",
                    "url": f"https://example.com/{today}/{country}/{number}",
                    "title": f"Of day {today} in {country}, the {self._dice.randrange(10**9)}th of its kind",
                    "outlet": "Wire",
                    "country": country,
                    "summary": "What happened.",
                    "published_at": now.isoformat(),
                }
            )
            for country in COUNTRIES[int(today % 5 == 4) : self.newsletters]
            for number in range(2)
        ]
        draft = self.folder / "draft.jsonl"
        draft.write_text("\n".join(lines), encoding="utf-8")
        draft.rename(self.folder / "inbox" / f"{today}.jsonl")

    def _started(self) -> BaseProcess:
        process = _FORKS.Process(target=run_desk, args=(str(self.folder), self._environ), daemon=True)
        process.start()
        return process

    def _show(self, moment: datetime) -> None:
        """Move the clock; and, as often as is asked for over all days, kill somebody soon after that."""
        self._clock.set(moment)
        steps = self.days * (3 + self.newsletters // 2)  # about
        if self._killed < self.kills and self._dice.random() < 1.2 * self.kills / steps:
            time.sleep(self._dice.uniform(0, 1.5))
            place = self._dice.randrange(self.processes)
            self._running[place].kill()
            self._running[place].join()
            self._running[place] = self._started()
            self._killed += 1

    def _until_quiet(self) -> None:
        since = time.monotonic()
        while not self._quiet():
            self._edit()
            if time.monotonic() - since > STUCK:
                late = [f"{issue.id} {issue.state} {issue.reason}" for issue in self._room.issues.in_state(*_MOVING)]
                raise AssertionError(f"nothing moves any more: {late}, seed {self.seed}")
            time.sleep(0.05)

    def _quiet(self) -> bool:
        """Whether everything that is due now is done: whoever ticked last began at this time of the clock."""
        if self._clock.ticked != self._clock.shown or day.due_issues(self._room):
            return False
        now = self._room.clock.now()
        for newsletter in self._room.plan.newsletters.values():
            for slot in slots_between(newsletter, now - timedelta(hours=12), now + newsletter.stories.lead):
                issue = self._room.issues.find(IssueId(slot.newsletter, slot.date, slot.number))
                built = issue is not None and issue.state not in _BEGINNING
                if build_at(slot, newsletter) <= now and slot.date >= FIRST and not built:
                    return False
                if issue is not None and issue.state is IssueState.REVIEW and newsletter.approval.mode == "auto":
                    return False
        return True

    def _edit(self) -> None:
        """The editor approves every second issue in review, the moment it is there."""
        for issue in self._room.issues.in_state(IssueState.REVIEW):
            number = int(issue.id.newsletter[1:])
            if APPROVALS[number % 4] != AUTO and (issue.id.date.day + number // 4) % 2:
                with suppress(ChecksFailedError, NothingToDoError):
                    issues.approve(self._room, issue.id, "chief")

    def _next(self, moment: datetime) -> datetime:
        waking = day.next_waking(self._room) or moment + timedelta(days=1)
        under_way = self._room.issues.in_state(IssueState.SENDING)
        return min(waking, moment + timedelta(minutes=6)) if under_way else waking


_BEGINNING = (IssueState.PLANNED, IssueState.BUILDING)
_MOVING = (*_BEGINNING, IssueState.REVIEW, IssueState.APPROVED, IssueState.SENDING)
