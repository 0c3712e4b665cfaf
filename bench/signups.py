"""Sign-up bombing: 10,000 posts of the subscribe page for nine addresses from 500 networks, against the real server.

    python -m bench.signups DESK

serves the desk of that folder on a free port, which it prints.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from bench.listing import load, postgresql
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.readership import requests
from newsletter.web import WebServer

__all__ = ["Bombed", "bomb", "measure"]

POSTS, NETWORKS, CLIENTS = 10_000, 500, 4
BAR = 100
KNOWN, STOPPED = 3, 2
"""Of the nine so many are subscribed already, and so many are suppressed for a complaint: these get no mail."""

ADDRESSES = [f"victim{number}@mail{number}.example" for number in range(9)]
"""Nine domains: what is asked for one domain too often is not even looked at, and quick."""

_FLAGS = {"trusted_proxies": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Bombed:
    """What came of it: different answers (the address in each aside), milliseconds of each in order, posts in a second,
    mails by address."""

    answers: int
    taken: Sequence[float]
    rate: float
    mails: Counter[str]

    def within(self, share: float) -> float:
        """Milliseconds within which that share was answered."""
        return self.taken[min(len(self.taken) - 1, int(len(self.taken) * share))]


def measure() -> Sequence[str]:
    """The rows of the page."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        found = {
            "SQLite": _measured(Path(folder) / "lite", {}),
            "PostgreSQL": _measured(Path(folder) / "full", {"database_url": server}),
        }
    return [
        f"## Sign-up bombing: {POSTS:,} posts for {len(ADDRESSES)} addresses from {NETWORKS} networks",
        "",
        f"{CLIENTS} clients at once, each on a connection kept open. Bar: 99 % within {BAR} ms.",
        "",
        "| database | median, ms | 99 %, ms | longest, ms | posts/s | answers | mails, most to an address |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {name} | {each.within(0.5):.1f} | {each.within(0.99):.1f} | {each.taken[-1]:.0f} | {each.rate:,.0f}"
            f" | {each.answers} | {each.mails.total()}, {max(each.mails.values())} |"
            for name, each in found.items()
        ),
        "",
        load(),
    ]


def _measured(desk: Path, flags: dict[str, str]) -> Bombed:
    desks.make_sample_desk(desk)
    with Newsroom.open(desk, flags, environ={}) as room:
        desks.upgrade(room)
        desks.fill_with_samples(room)
    words = [sys.executable, "-m", "bench.signups", str(desk), *(f"{name}={each}" for name, each in flags.items())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            with Newsroom.open(desk, flags, environ={}) as room:
                return bomb(room, port, POSTS, NETWORKS, CLIENTS)
        finally:
            server.terminate()


def bomb(room: Newsroom, port: int, posts: int, networks: int, clients: int) -> Bombed:
    """Post to the desk's server on that port, which believes this machine whom it speaks for; then carry the mails."""
    now = room.clock.now()
    known = [requests.read_address(room, address) for address in ADDRESSES[:KNOWN]]
    for each in known:
        requests.ask_to_subscribe(room, each, language="en", network="")
    for asked in room.subscribers.requests(1):
        requests.confirm(room, asked, asked.newsletters, network="")
        room.subscribers.settle_request(asked, "")
    requests.carry(room)
    welcomed = _mails(room)  # they confirmed, and are welcomed: what follows is what strangers bring them
    for address in ADDRESSES[-STOPPED:]:
        room.subscribers.suppress(address, "complaint", now)
    taken: list[float] = []
    pages: set[bytes] = set()
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_post, args=(port, range(place, posts, clients), networks, taken, pages))
        for place in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    assert len(taken) == posts
    requests.carry(room)
    return Bombed(len(pages), sorted(taken), posts / wall, _mails(room) - welcomed)


def _post(port: int, numbers: range, networks: int, taken: list[float], pages: set[bytes]) -> None:
    http = HTTPConnection("127.0.0.1", port, timeout=60)
    for number in numbers:
        address, network = ADDRESSES[number % len(ADDRESSES)], number % networks
        form = urlencode({"email": address, "country": ["CN", "JP"], "frequency": "daily"}, doseq=True)
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-forwarded-for": f"198.{18 + network // 250}.{network % 250}.{number % 250}",
        }
        before = time.perf_counter()
        http.request("POST", "/subscribe", form, headers)
        answer = http.getresponse()
        page = answer.read()
        taken.append((time.perf_counter() - before) * 1e3)
        told = sorted((name, value) for name, value in answer.getheaders() if name != "date")
        pages.add(repr((answer.status, told)).encode() + page.replace(address.encode(), b"ADDRESS"))
    http.close()


def _mails(room: Newsroom) -> Counter[str]:
    files = (room.outbox / "readers").glob("*.eml")
    found = (re.search(rb"(?mi)^To: *(?:.*<)?([^>\r\n]+)", file.read_bytes()) for file in files)
    return Counter(each[1].decode() for each in found if each)


@contextmanager
def _serving(desk: Path, flags: dict[str, str]) -> Iterator[WebServer]:
    with Newsroom.open(desk, _FLAGS | flags, environ={}) as room:
        yield WebServer(room, "127.0.0.1", 0)


def main() -> None:
    """The server, in a process of its own."""
    desk, *flags = sys.argv[1:]
    with _serving(Path(desk), dict(flag.split("=", 1) for flag in flags)) as server:
        print(server.port, flush=True)
        server.run()


if __name__ == "__main__":
    main()
