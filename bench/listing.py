"""How long the long lists take: `/subscribers` with a million of them, `/issues` with five thousand, on both databases.

The server is the desk's own, the browser a connection kept open, logged in as an admin. The first answer after the
server's start is told beside the median: whatever is counted behind the scenes is not there yet.
"""

from __future__ import annotations

import functools
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.desks import upgrade
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.storage import Role
from newsletter.storage.tables import issue, issue_progress, issue_story
from newsletter.web import WebServer
from subscribers.tables import Instant, subscriber, subscription
from tests.servers import free_port

SUBSCRIBERS, ISSUES = 1_000_000, 5_000
ROUNDS = 25
BAR = 100
NEWSLETTERS = ("asia-ai-daily", "chips-weekly", "breaking")
NOW = datetime(2026, 5, 1, tzinfo=UTC)

LISTS = {
    "subscribers": "/subscribers",
    "of one newsletter": "/subscribers?newsletter=chips-weekly",
    "of one newsletter and status": "/subscribers?newsletter=asia-ai-daily&status=pending",
    "of one status": "/subscribers?status=unsubscribed",
    "beginning with a letter": "/subscribers?begins=r",
    "beginning with half an address": "/subscribers?begins=reader7777",
    "beginning with a letter, of the newsletter and status fewest have": (
        "/subscribers?begins=r&newsletter=breaking&status=pending"
    ),
    "beginning with a letter, of the newsletter and status most have": (
        "/subscribers?begins=r&newsletter=asia-ai-daily&status=confirmed"
    ),
    "a page far behind": "/subscribers?below=5000",
    "issues": "/issues",
    "the last page of issues": f"/issues?page={ISSUES // 30 - 1}",
}
FIGURES = {"subscriptions by newsletter and status": "/subscribers", "readers of a draft": "/issues"}


def measure() -> Sequence[str]:
    """The rows of the page."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        lite = _milliseconds(Path(folder) / "lite", None)
        full = _milliseconds(Path(folder) / "full", server)
    return [
        f"## Long lists: {SUBSCRIBERS:,} subscribers, {ISSUES:,} issues",
        "",
        f"First page, median of {ROUNDS}; in brackets the first one after the server's start. Bar: {BAR} ms.",
        "",
        "| list | SQLite, ms | PostgreSQL, ms |",
        "|---|---|---|",
        *(f"| {name} | {_told(lite[name])} | {_told(full[name])} |" for name in LISTS),
        "",
        "Seconds until figures are there that the pages do not wait for, after a start, SQLite and PostgreSQL: "
        + "; ".join(f"{what} {lite[what][0] / 1e3:.1f}, {full[what][0] / 1e3:.1f}" for what in FIGURES)
        + ".",
    ]


def _told(taken: tuple[float, float]) -> str:
    median, first = taken
    return f"{median:.0f} ({first:.0f})"


def _milliseconds(desk: Path, url: str | None) -> dict[str, tuple[float, float]]:
    flags = {} if url is None else {"database_url": url}
    desks.make_sample_desk(desk)
    plan = (desk / "schedule.yaml").read_text(encoding="utf-8")
    first = plan[plan.index("  asia-ai-daily:") :].rstrip()
    more = [first.replace("asia-ai-daily", name).replace("Asia AI Daily", name.title()) for name in NEWSLETTERS[1:]]
    (desk / "schedule.yaml").write_text("\n".join([plan.rstrip(), *more, ""]), encoding="utf-8")
    with Newsroom.open(desk, flags, environ={}) as room:
        upgrade(room)
        _fill(room)
    found = {}
    for name, path in LISTS.items():
        with Newsroom.open(desk, flags, environ={}) as room, _browser(room) as ask:
            ask("/account")  # the code is loaded, the connection open: what is measured is the list
            cold = ask(path)
            found[name] = (statistics.median(ask(path) for _ in range(ROUNDS)), cold)
    with Newsroom.open(desk, flags, environ={}) as room, _browser(room) as ask:
        for name, path in FIGURES.items():
            began = time.perf_counter()
            while ask(path, waits="…"):
                time.sleep(0.02)
            found[name] = ((time.perf_counter() - began) * 1e3, 0)
    return found


@contextmanager
def _browser(room: Newsroom) -> Iterator[Any]:
    """Asks for a page as an admin: milliseconds until all of it is there; or whether it still `waits` for a figure."""
    now = room.clock.now()
    account = room.accounts.find("bench@desk.example") or room.accounts.add("bench@desk.example", Role.ADMIN, now)
    cookie = {"cookie": f"newsletter-session={room.accounts.open_session(account, now)}"}
    server = WebServer(room, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    http = HTTPConnection("127.0.0.1", server.port)

    def ask(path: str, waits: str = "") -> float:
        before = time.perf_counter()
        http.request("GET", path, headers=cookie)
        answer = http.getresponse()
        page = answer.read().decode()
        assert answer.status == 200, page
        return waits in page if waits else (time.perf_counter() - before) * 1e3

    try:
        yield ask
    finally:
        http.close()
        server.stop()
        thread.join()


def _fill(room: Newsroom) -> None:
    """Rows in bulk: what a year of imports and a decade of issues leave behind."""
    desks.fill_with_samples(room)
    list(gathering.gather_all(room, gathering.polled_sources(room)))
    drafted = issues.build(room, NEWSLETTERS[0])
    with room.database.write() as connection:
        fill_readers(connection, room.plan.newsletters[NEWSLETTERS[0]].countries)
    with room.database.write() as connection:
        row = connection.execute(sa.select(issue).where(issue.c.newsletter == drafted.id.newsletter)).mappings().one()
        told = [dict(each) for each in connection.execute(sa.select(issue_story)).mappings()]
        sent = {"state": "submitted", "approved_revision": 1, "approved_by": "bench", "approved_at": NOW}
        for number in range(1, ISSUES):
            day = row["local_date"] - timedelta(days=number)
            times = {name: row["due_at"] - timedelta(days=number) for name in ("due_at", "frozen_at", "settled_at")}
            values = {**row, **sent, **times, "id": row["id"] + number, "local_date": day, "candidates": SUBSCRIBERS}
            connection.execute(sa.insert(issue), values)
        pks = range(row["id"] + 1, row["id"] + ISSUES)
        connection.execute(sa.insert(issue_story), [{**each, "issue_id": pk} for pk in pks for each in told])
        books = {"message_seed": "00", "message_domain": "x", "submitted": SUBSCRIBERS}
        connection.execute(sa.insert(issue_progress), [{**books, "issue_id": pk} for pk in pks])
    analyse(room)


def load() -> str:
    """How busy the machine is with other things: a figure of seconds means little without it."""
    waiting = os.getloadavg()[1]
    return f"Load of the machine over the last five minutes: {waiting:.0f} on {os.cpu_count()} processors."


def analyse(room: Newsroom) -> None:
    """What PostgreSQL's own daemon would do within a minute of so many rows."""
    if not room.database.is_sqlite:
        with room.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def fill_readers(connection: sa.Connection, countries: Sequence[str]) -> None:
    """A million people, made by the database itself; every third chose countries."""
    count = sa.select(sa.literal(1000).label("n")).cte(recursive=True)
    count = count.union_all(sa.select(count.c.n + 1).where(count.c.n < SUBSCRIBERS))
    n, text = count.c.n, sa.cast(count.c.n, sa.Text)
    address = sa.literal("reader") + text + "@example.com"
    pairs = [[countries[k], countries[(k + 2) % len(countries)]] for k in range(len(countries))]
    chosen = sa.case(
        *((n % 21 == 3 * k, sa.literal(pair, sa.JSON)) for k, pair in enumerate(pairs)), else_=sa.literal(None, sa.JSON)
    )
    person = {
        "id": n,
        "email": address,
        "address_key": address,
        "name": sa.literal("Reader ") + text,
        "frequency": sa.literal("daily"),
        "attributes": sa.literal({}, sa.JSON),
        "countries": chosen,
        "created_at": sa.literal(NOW, Instant),
    }
    connection.execute(sa.insert(subscriber).from_select(list(person), sa.select(*person.values())))
    mixed = (n // 100 + n * 7) % 100
    status = sa.case((mixed < 89, "confirmed"), (mixed < 99, "unsubscribed"), else_="pending")
    for name, share in zip(NEWSLETTERS, (1, 5, 50), strict=True):
        held = {
            "newsletter": sa.literal(name),
            "subscriber_id": n,
            "status": status,
            "consent_at": sa.literal(NOW, Instant),
            "consent_source": sa.literal("bench"),
            "changed_at": sa.literal(NOW, Instant),
        }
        rows = sa.select(*held.values()).where(n % share == 0)
        connection.execute(sa.insert(subscription).from_select(list(held), rows))


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty database on a server of our own, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    port, data = free_port(), folder / "data"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    run = functools.partial(subprocess.run, check=True, cwd="/", stdout=subprocess.DEVNULL)
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name))
    run([*as_user, str(programs / "initdb"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "-D", str(data)])
    pg_ctl = [*as_user, str(programs / "pg_ctl"), "-w", "-D", str(data), "-l", str(folder / "log")]
    run([*pg_ctl, "-o", options, "start"])
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        run([*pg_ctl, "-m", "fast", "stop"])
        shutil.rmtree(folder, ignore_errors=True)
