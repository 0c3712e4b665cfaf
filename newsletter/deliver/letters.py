"""A mail to one person, of the desk or a reader who asked for it: not to a list, so without the fields of one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from newsletter.deliver.dkim import DkimKey, Signature
from newsletter.deliver.encoding import encode_part
from newsletter.deliver.header_text import angle_url, ascii_domain, field, mailbox
from newsletter.deliver.splice import part_head
from newsletter.model import Message, Sender, WireContent

__all__ = ["Letter", "write_letter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One letter to `to`; `date` is aware. `message_id` and `thread` (which letters of one issue share) have angles.

    `unsubscribe` is where mail programs take the reader off (RFC 8058), for a letter to a subscriber.
    """

    sender: Sender
    to: str
    subject: str
    html: str
    text: str
    date: datetime
    message_id: str
    thread: str = ""
    unsubscribe: str = ""


def write_letter(letter: Letter, number: int, envelope_from: str, keys: Sequence[DkimKey] = ()) -> Message:
    """The finished message; its outcome is known by `number`. Raises `InputError` for an address that is none."""
    address = ascii_domain(letter.to)
    boundary = f"=_{hashlib.sha256((letter.html + letter.text).encode()).hexdigest()[:32]}"
    head = b"".join(
        (
            _line("From", mailbox(letter.sender.name, ascii_domain(letter.sender.address))),
            _line("To", address),
            field("Subject", letter.subject),
            _line("Date", format_datetime(letter.date)),
            _line("Message-ID", letter.message_id),
            *(_line(name, letter.thread) for name in ("In-Reply-To", "References") if letter.thread),
            *_leaving(letter.unsubscribe),
            _line("Auto-Submitted", "auto-generated"),  # RFC 3834, section 5
            _line("X-Auto-Response-Suppress", "All"),  # Exchange, which does not know RFC 3834
            _line("MIME-Version", "1.0"),
            _line("Content-Type", f'multipart/alternative;\r\n boundary="{boundary}"'),
        )
    )
    text, html = encode_part(letter.text), encode_part(letter.html)
    body = b"".join(
        (
            part_head(boundary, "plain", text),
            *text.fill({}),
            b"\r\n" + part_head(boundary, "html", html),
            *html.fill({}),
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    signed = [Signature(key, head, ()).field(b"", body) for key in keys]
    return Message(number, envelope_from, address, WireContent((*signed, head, b"\r\n", body)))


def _leaving(address: str) -> tuple[bytes, ...]:
    if not address:
        return ()
    return (
        _line("List-Unsubscribe", angle_url(address)),
        _line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode()
