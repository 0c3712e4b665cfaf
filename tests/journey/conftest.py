"""Desks, feeds and mail servers for journeys through the whole product: the real command line, real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from ..servers import Answering, free_port, running_sink, serving


@dataclass
class Desk:
    """A desk folder, worked with through the command line alone."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(
        self, *words: str, code: int | None = 0, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `newsletter WORDS` on this desk and expect an exit code (None: any)."""
        done = subprocess.run(
            command(*words), cwd=self.folder, env=self._environ(environ), capture_output=True, text=True, check=False
        )
        if code is not None:
            assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str, code: int | None = 0, environ: Mapping[str, str] | None = None) -> Any:
        """The document that a command prints with --json."""
        return json.loads(self.run(*words, "--json", code=code, environ=environ).stdout)

    def start(self, *words: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command and let it run; its output goes to a file beside the desk."""
        with (self.folder / f"{words[0]}-{time.monotonic_ns()}.log").open("w") as log:
            return subprocess.Popen(
                command(*words), cwd=self.folder, env=self._environ(environ), stdout=log, stderr=log, text=True
            )

    def write(self, name: str, text: str) -> Path:
        """Write a file of the desk."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def _environ(self, more: Mapping[str, str] | None) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
        return {**plain, **self.environ, **(more or {})}


def command(*words: str) -> list[str]:
    """The command line, run by the interpreter of the tests."""
    return [sys.executable, "-W", "error", "-m", "newsletter", *words]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A fresh starter desk."""
    made = Desk(tmp_path / "desk")
    made.folder.mkdir()
    made.run("init")
    return made


SCHEDULE = """\
version: 1
defaults:
  timezone: Asia/Singapore
  sender: {{name: Asia AI Daily, address: daily@example.com, reply_to: desk@example.com}}
  approval: {{mode: manual, by: "06:45", on_timeout: wait}}
  postal_address: 1 Example Street, Singapore
sources:
{sources}
newsletters:
  asia-ai-daily:
    title: Asia AI Daily
    at: "07:00"
    days: [mon, tue, wed, thu, fri, sat, sun]
    countries: [{countries}]
    stories: {{since: last_issue, at_most: {at_most}, min: 1, max: {most}, per_country: {per_country}, lead: 90m}}
"""


def schedule(
    sources: Mapping[str, str],
    countries: str = "CN, JP, KR, IN, SG, ID, VN",
    at_most: str = "7d",
    most: int = 12,
    per_country: int = 3,
) -> str:
    """A schedule.yaml with one newsletter; `sources` maps an id to what stands in its braces."""
    lines = "\n".join(f"  {name}: {{{words}}}" for name, words in sources.items())
    return SCHEDULE.format(sources=lines, countries=countries, at_most=at_most, most=most, per_country=per_country)


@dataclass
class FeedServer:
    """Files on loopback with ETags; remembers which status each request got."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    answered: list[tuple[str, int]] = field(default_factory=list)


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    """An HTTP server that serves `files` by name."""
    served = FeedServer("")

    class Handler(Answering):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            body = served.files.get(name)
            tag = f'"{hashlib.sha256(body or b"").hexdigest()[:16]}"'
            status = 404 if body is None else 304 if self.headers.get("If-None-Match") == tag else 200
            served.answered.append((name, status))
            self.send_response(status)
            if status == 200 and body is not None:
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", tag)
            self.end_headers()
            if status == 200 and body is not None:
                self.wfile.write(body)

    with serving(Handler) as port:
        served.address = f"http://127.0.0.1:{port}"
        yield served


@dataclass
class Mailbox:
    """A real SMTP server on loopback and everything it took: recipient and content, in order."""

    url: str = ""
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    refused: frozenset[str] = frozenset()
    pause: Callable[[], None] = lambda: None
    tls_seen: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.pause()
        assert isinstance(envelope.content, bytes)
        self.taken += [(address, envelope.content) for address in envelope.rcpt_tos]
        self.tls_seen.append(session.ssl is not None)
        return "250 2.0.0 taken"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture
def mailbox(authority: trustme.CA, tmp_path: Path) -> Iterator[Mailbox]:
    """aiosmtpd with STARTTLS required and a certificate for `localhost` of our own authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    cafile = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(cafile))
    box = Mailbox()
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True, decode_data=False
    )
    controller.start()
    box.url = f"smtp://localhost:{controller.port}?starttls=require&connections=4&cafile={cafile}"
    yield box
    controller.stop()


@pytest.fixture
def sink(smtp_sink: str) -> Iterator[tuple[str, Path]]:
    """Postfix's smtp-sink: its URL, and the folder where it keeps each message in a file."""
    with running_sink(smtp_sink) as (port, folder):
        yield f"smtp://127.0.0.1:{port}?connections=4", folder
