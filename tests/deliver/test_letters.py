"""Mails to the desk's own people, read by the standard library, whatever they say; and signed like any other."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.deliver import Letter, write_letter
from newsletter.deliver.header_text import clean
from newsletter.model import Sender

from .test_dkim import BOTH, holds

NAMES = [
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
]  # fmt: skip
NO_SLOTS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufdd0\ufdd1")


def letter(**changes: str) -> Letter:
    words = {"subject": "Draft ready", "html": "<p>Ready</p>", "text": "Ready"} | changes
    return Letter(
        sender=Sender(changes.get("name", "Asia Daily"), "daily@example.com"),
        to="ed@desk.example",
        subject=words["subject"],
        html=words["html"],
        text=words["text"],
        date=datetime(2026, 5, 27, tzinfo=UTC),
        message_id="<a@example.com>",
        thread="<b@example.com>",
    )


def read(data: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(data, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(max_size=60), st.text(NO_SLOTS, max_size=300), st.text(NO_SLOTS, max_size=300))
def test_it_says_what_was_written_and_has_no_field_more(subject: str, name: str, html: str, text: str) -> None:
    message = write_letter(letter(subject=subject, name=name, html=html, text=text), 3, "bounce+desk@example.com")
    data = message.data
    assert (message.delivery, message.envelope_to) == (3, "ed@desk.example")
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert not any(line.startswith(b".") for line in data.split(b"\r\n"))
    parsed = read(data)
    assert list(parsed.keys()) == NAMES
    assert str(parsed["Subject"]).strip() == clean(subject)
    for part, written in zip(parsed.iter_parts(), (text, html), strict=True):
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        lines = written.replace("\r\n", "\n").replace("\r", "\n")
        assert payload.decode().replace("\r\n", "\n").removesuffix("\n") == lines.removesuffix("\n")


def test_both_signatures_hold_and_cover_every_field() -> None:
    data = write_letter(
        letter(subject="Entwürfe, 東京", html="<p>  two</p>", text="a \t b\n"), 1, "b@example.com", BOTH
    ).data
    assert holds(data, 0)
    assert holds(data, 1)
    assert not holds(data.replace(b"In-Reply-To: <b@", b"In-Reply-To: <c@"), 0)
    assert list(read(data).keys()) == ["DKIM-Signature", "DKIM-Signature", *NAMES]
