"""The preview of an issue on screen, against the same page put together from ORM objects at each request."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

from bench.orm import OrmIssues
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom, desks
from newsletter.newsroom.intake import gathering
from newsletter.newsroom.issue import issues
from newsletter.storage import Role
from newsletter.web.sessions import form_token

ROUNDS, REQUESTS, CLIENTS = 9, 120, 2
STORIES = 12
NEWSLETTER = "asia-ai-daily"
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)\r\n")

WAYS = {
    "orm": "the mail from ORM objects, rendered",
    "frame": "the mail, as the product shows it",
    "screen": "the whole screen around it",
}


def measure() -> Sequence[str]:
    """The rows of the page."""
    work = Path(tempfile.mkdtemp(prefix="bench-"))
    issue, cookie = _desk(work / "desk")
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(work / "desk", str(issue), theirs))
    server.start()
    try:
        port: int = ours.recv()
        addresses = {"orm": f"/orm/{issue}", "frame": f"/issues/{issue}/mail", "screen": f"/issues/{issue}"}

        def ask(way: str) -> Callable[[], bytes]:
            return lambda: _get(port, addresses[way], cookie)

        assert ask("orm")() == ask("frame")(), "the two pages differ"
        drafted = _rates(port, addresses, cookie)
        with Newsroom.open(work / "desk", environ={}) as room:
            issues.approve(room, issue, "bench")
        assert ask("orm")() == ask("frame")(), "the two pages differ"
        sealed = _rates(port, addresses, cookie)
        size = len(ask("frame")())
        words = ["", *(f"Word number {number}." for number in range(2 * ROUNDS))]
        edits = [
            _edit(port, issue, cookie, was, word, in_place=number % 2 == 0)
            for number, (was, word) in enumerate(pairwise(words))
        ]
    finally:
        server.terminate()
        server.join()
        shutil.rmtree(work, ignore_errors=True)
    saved, plain = (f"{statistics.median(edits[start::2]) * 1e3:.0f} ms" for start in (0, 1))
    shown = f"Saving an editor's word until screen and mail show it: {saved} (bar 300); without scripts {plain}."
    return [
        f"## Preview of an issue of {STORIES} stories, {size:,} bytes of mail, requests/s of one process",
        "",
        "| page | draft | ratio | sealed | ratio |",
        "|---|---|---|---|---|",
        *(
            f"| {words} | {drafted[way]:,.0f} | {drafted[way] / drafted['orm']:.1f}"
            f" | {sealed[way]:,.0f} | {sealed[way] / sealed['orm']:.1f} |"
            for way, words in WAYS.items()
        ),
        "",
        "All behind the same login, over HTTP; bars of the mail's frame: draft 3, sealed 15.",
        "",
        shown,
    ]


def _desk(folder: Path) -> tuple[IssueId, str]:
    """A desk with a draft of that many stories, and the cookie of somebody who may look at it."""
    desks.make_sample_desk(folder)
    plan = folder / "schedule.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("max: 14", f"max: {STORIES}"), encoding="utf-8")
    with Newsroom.open(folder, environ={}) as room:
        desks.fill_with_samples(room)
        list(gathering.gather_all(room, gathering.polled_sources(room)))
        issue = issues.build(room, NEWSLETTER)
        assert issue.snapshot is not None
        assert len(issue.snapshot.placed) == STORIES
        OrmIssues(folder / "orm.db").keep(str(issue.id), issue.snapshot)
        person = room.accounts.add("bench@example.com", Role.EDITOR, room.clock.now())
        return issue.id, f"newsletter-session={room.accounts.open_session(person, room.clock.now())}"


def _serve(desk: Path, issue: str, told: Connection) -> None:
    """The product's own application, and beside its routes the yardstick's."""
    from starlette.responses import Response
    from starlette.routing import Route

    from newsletter import compose, render
    from newsletter.newsroom.readership import readers
    from newsletter.render.edition import render_edition
    from newsletter.web import WebServer
    from newsletter.web.asking import Ask
    from newsletter.web.desk.issue.preview import Preview, framed
    from newsletter.web.figures import Figures
    from newsletter.web.guard import guarded

    with Newsroom.open(desk, environ={}) as room:
        kept = OrmIssues(desk / "orm.db")
        like = room.issues.get(IssueId.parse(issue)).snapshot
        assert like is not None
        template = room.templates.compile(like.template)

        def orm(ask: Ask) -> Response:
            snapshot = kept.snapshot(issue, like)
            edition = compose.choose_edition(snapshot, None, None)
            assert edition is not None
            rendered = render_edition(template, snapshot, edition, room.settings.base_url)
            slots = readers.neutral_slots(room, IssueId.parse(issue), edition.key)
            return framed(render.fill_html(rendered.html, slots), Preview(), room.settings.base_url)

        server = WebServer(room, "127.0.0.1", 0)
        server.app.router.routes.insert(0, Route(f"/orm/{issue}", guarded(room, Figures(room), Role.VIEWER, orm)))
        told.send(server.port)
        server.run()


def _rates(port: int, addresses: Mapping[str, str], cookie: str) -> dict[str, float]:
    """Requests a second of each way: the median of rounds in turns."""
    rates: dict[str, list[float]] = {way: [] for way in addresses}
    for _ in range(ROUNDS):
        for way, address in addresses.items():
            clients = [threading.Thread(target=_ask_often, args=(port, address, cookie)) for _ in range(CLIENTS)]
            before = time.perf_counter()
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            rates[way].append(REQUESTS // CLIENTS * CLIENTS / (time.perf_counter() - before))
    return {way: statistics.median(found) for way, found in rates.items()}


def _ask_often(port: int, address: str, cookie: str) -> None:
    with _connected(port) as line:
        for _ in range(REQUESTS // CLIENTS):
            _answer(line, address, cookie)


def _get(port: int, address: str, cookie: str) -> bytes:
    with _connected(port) as line:
        return _answer(line, address, cookie)


def _edit(port: int, issue: IssueId, cookie: str, was: str, word: str, *, in_place: bool) -> float:
    """Seconds from an editor's order to the pages that show it; `in_place` as the screen's script asks for them."""
    form = urlencode({"token": form_token(cookie.partition("=")[2]), "word_was": was, "word": word})
    before = time.perf_counter()
    with _connected(port) as line:
        _answer(line, f"/issues/{issue}/words", cookie, form)
        _answer(line, f"/issues/{issue}", cookie, head="HX-Boosted: true\r\n" if in_place else "")
        mail = _answer(line, f"/issues/{issue}/mail", cookie)
    assert word.encode() in mail
    return time.perf_counter() - before


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def _answer(line: socket.socket, address: str, cookie: str, form: str = "", head: str = "") -> bytes:
    """One answer over a connection that stays open; read by hand, because a client of Python would take as long as the
    server does. A `form` is posted."""
    head = f"{'POST' if form else 'GET'} {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n{head}"
    if form:
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n"
    line.sendall(f"{head}\r\n{form}".encode())
    data = line.recv(1 << 17)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += line.recv(1 << 17)
    assert data.startswith(b"HTTP/1.1 303 " if form else b"HTTP/1.1 200 "), data[:40]
    length = int(_LENGTH.findall(data[: end + 2])[0])
    while len(data) < end + 4 + length:
        data += line.recv(1 << 17)
    return data[end + 4 :]
