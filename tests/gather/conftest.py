"""A real HTTP server on loopback whose answers a test scripts, and the plans and clocks of this room's tests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from newsletter.plan.values import SourcePlan
from tests.servers import Answering, serving

NOW = datetime(2026, 5, 27, 5, 25, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return Path(__file__).parent / "fixtures"


@dataclass
class Website:
    """A loopback server: `pages` answers each path, `asked` keeps every request's path and headers."""

    port: int
    pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def plan(self, path: str, *, timeout: float = 10, allow_private: bool = True) -> SourcePlan:
        """A feed source that may read this server."""
        return SourcePlan(
            id="wire", kind="feed", url=self.url(path), timeout=timedelta(seconds=timeout), allow_private=allow_private
        )

    def serve(self, path: str, body: bytes, **headers: str) -> None:
        """Answer 200 with an ETag, and 304 to who knows it."""

        def page(request: BaseHTTPRequestHandler) -> None:
            etag = f'"{len(body)}"'
            known = request.headers["If-None-Match"] == etag
            request.send_response(304 if known else 200)
            request.send_header("ETag", etag)
            request.send_header("Last-Modified", "Wed, 27 May 2026 00:00:00 GMT")
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()
            if not known:
                request.wfile.write(body)

        self.pages[path] = page

    def answer(self, path: str, status: int, **headers: str) -> None:
        """Answer with a status and headers only."""

        def page(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.end_headers()

        self.pages[path] = page


@pytest.fixture
def website() -> Iterator[Website]:
    class Handler(Answering):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            site.pages[self.path if self.path in site.pages else self.path.split("?")[0]](self)

    with serving(Handler) as port:
        site = Website(port)
        yield site


class Listener:
    """A listening socket that counts who connects."""

    def __init__(self, family: socket.AddressFamily, host: str) -> None:
        self._socket = socket.create_server((host, 0), family=family)
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]

    def hits(self) -> int:
        count = 0
        while True:
            try:
                self._socket.accept()[0].close()
            except TimeoutError:
                return count
            count += 1

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    inside = Listener(socket.AF_INET, "127.0.0.1")
    yield inside
    inside.close()
