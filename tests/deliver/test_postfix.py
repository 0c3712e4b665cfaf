"""Whole sends to a real Postfix that forgives nothing, and what it has to say about them in its own log."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import trustme

from newsletter.model import DeliveryState, IssueState
from newsletter.newsroom import Newsroom
from tests.conftest import system_tool
from tests.deliver.postfix_server import STRICT, Postfix, postfix
from tests.desks import approved_desk, readers_of
from tests.scripts import SCRIPTS

STORY = {"title": " ".join(SCRIPTS[:9]), "outlet": "..Wire", "country": "CN", "summary": ". " * 99 + " ".join(SCRIPTS)}
COMPLAINTS = re.compile(
    r"/smtpd\[.*(?:warning|fatal|reject|improper command pipelining|lost connection|timeout|bare <|non-SMTP|too many|"
    r"SSL_accept|synchronization|unknown=)"
)

Starts = Callable[..., AbstractContextManager[Postfix]]


@pytest.fixture
def start(any_port: Callable[[], int]) -> Starts:
    """Starts a Postfix with the strict settings and those given."""
    program = system_tool("postfix", "postfix")
    if os.geteuid() != 0:
        pytest.skip("missing permission: Postfix is started by root")
    return lambda **settings: postfix(program, any_port(), {**STRICT, **settings})


def complaints(server: Postfix) -> list[str]:
    return [line for line in server.log if COMPLAINTS.search(line)]


def send_to(server: Postfix, desk: Path, readers: int, query: str = "") -> None:
    """Send a whole issue by the command; every reader's message is in the books and in Postfix's log, once."""
    environ = {"NEWSLETTER_SMTP_URL": f"smtp://localhost:{server.port}?connections=8{query}"}
    issue = approved_desk(desk, environ, readers_of(readers), title="Zeitung für alle", stories=[STORY])
    command = [sys.executable, "-m", "newsletter", "issue", "send", str(issue)]
    done = subprocess.run(command, cwd=desk, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Newsroom.open(desk, environ=environ) as room:
        books = room.issues.books(issue)
    assert books.balanced
    assert books.state is IssueState.SUBMITTED
    assert {state: number for state, number in books.deliveries.items() if number} == {DeliveryState.SUBMITTED: readers}
    assert Counter(server.discarded()) == Counter(email for email, _ in readers_of(readers))
    assert not complaints(server)


def test_postfix_takes_every_message_and_has_nothing_to_say(start: Starts, tmp_path: Path) -> None:
    with start() as server:
        send_to(server, tmp_path / "desk", 15_000)
        queued = [line for line in server.log if "/cleanup[" in line and "message-id=<" in line]
        assert len({line.partition("message-id=")[2] for line in queued}) == len(queued) == len(server.discarded())


def test_nor_has_it_after_starttls(start: Starts, tmp_path: Path, authority: tuple[trustme.CA, Path]) -> None:
    certificate = tmp_path / "localhost.pem"
    authority[0].issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    tls = {"smtpd_tls_security_level": "encrypt", "smtpd_tls_chain_files": str(certificate), "smtpd_tls_loglevel": "1"}
    with start(**tls) as server:
        send_to(server, tmp_path / "desk", 500, f"&starttls=require&cafile={authority[1]}")
        begun, secured = (
            sum(word in line for line in server.log) for word in (": connect from", "TLS connection established")
        )
        assert secured == begun - 1 > 0, "all but the one that asked whether it was up"


def test_its_log_would_tell(start: Starts) -> None:
    """Each rule that a send keeps is one that this Postfix does notice when it is broken."""
    with start() as server:

        def say(*pieces: bytes) -> None:
            """Each piece once the one before is answered; then hang up."""
            with socket.create_connection(("127.0.0.1", server.port), 10) as line:
                for piece in pieces:
                    line.recv(1000)
                    line.sendall(piece)

        envelope = (b"EHLO x\r\n", b"MAIL FROM:<a@example.com>\r\n", b"RCPT TO:<b@example.com>\r\n", b"DATA\r\n")
        say(*envelope, b"Subject: x\r\n\r\na\nb\r\n.\r\n", b"QUIT\r\n")
        say(b"EHLO x\r\nMAIL FROM:<a@example.com>\r\n", b"QUIT\r\n")
        say(b"EHLO x\r\n", b"Subject: x\r\n", b"QUIT\r\n")
        say(*envelope, b"Subject: x\r\n")
        untold = {"bare <LF> received", "improper command pipelining", "non-SMTP command", "lost connection after DATA"}
        for _ in range(100):
            untold -= {word for word in untold for line in complaints(server) if word in line}
            if not untold:
                break
            time.sleep(0.1)
    assert not untold
