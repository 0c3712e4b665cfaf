"""Editions, recipients and servers for the tests of delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import trustme

from newsletter.deliver import MailHeaders
from newsletter.model import Edition, IssueId, Message, Recipient, RenderedEdition, Sender

from ..servers import free_port, running_sink


@pytest.fixture(scope="session")
def headers() -> MailHeaders:
    return MailHeaders(
        issue=IssueId("asia-ai-daily", date(2026, 5, 27)),
        title="Asia AI Daily",
        sender=Sender("Asia AI Daily", "news@example.com", "editors@example.com"),
        list_domain="example.com",
        date=datetime(2026, 5, 26, 23, 0, tzinfo=UTC),
        archive_url="https://news.example.com/archive/asia-ai-daily",
        unsubscribe_mailto="leave@example.com",
    )


def rendered(html: str, text: str, subject: str = "Chips, and more") -> RenderedEdition:
    return RenderedEdition(
        edition=Edition(("CN",), "en"),
        subject=subject,
        preheader="",
        html=html,
        text=text,
        stories=1,
        minutes=1,
    )


@pytest.fixture(scope="session")
def render() -> Callable[..., RenderedEdition]:
    return rendered


def recipients_of(count: int) -> list[Recipient]:
    return [
        Recipient(
            delivery=number,
            subscriber=1000 + number,
            email=f"reader{number}@example.com",
            name=f"Reader {number}",
            edition="CN.en",
            message_id=f"<m{number}@example.com>",
        )
        for number in range(1, count + 1)
    ]


@pytest.fixture(scope="session")
def recipients() -> Callable[[int], list[Recipient]]:
    return recipients_of


def plain_message(recipient: Recipient) -> Message:
    """Big enough that a server sees it in more than one piece."""
    head = f"Message-ID: {recipient.message_id}\r\nTo: {recipient.email}\r\n\r\n"
    body = f"{recipient.email} {'x' * 60}\r\n" * 200
    return Message(recipient.delivery, "bounce+1@example.com", recipient.email, (head + body).encode())


@pytest.fixture(scope="session")
def make_message() -> Callable[[Recipient], Message]:
    return plain_message


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A test authority and the PEM file of it."""
    made = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "authority.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


@pytest.fixture(scope="session")
def any_port() -> Callable[[], int]:
    return free_port


@pytest.fixture
def sink(smtp_sink: str) -> Iterator[tuple[int, Path]]:
    """A running smtp-sink: its port, and the folder in which it keeps one file a message."""
    with running_sink(smtp_sink) as running:
        yield running
