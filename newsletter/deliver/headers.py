"""The header fields of every message: the constant ones of an issue, and the three that differ per reader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from newsletter.deliver.header_text import angle_url, ascii_domain, clean, field, mailbox, phrase
from newsletter.errors import ConfigurationError, InputError
from newsletter.model import IssueId, Recipient, Sender

__all__ = ["READER_FIELDS", "MailHeaders", "constant_fields", "envelope_sender", "reader_fields"]

READER_FIELDS = (b"To", b"Message-ID", b"List-Unsubscribe")
"""The fields that `reader_fields` writes, in its order."""

_LOCAL_PART = 64  # octets, RFC 5321 section 4.5.3.1.1
_TOKEN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_MESSAGE_ID = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._@-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHeaders:
    """What the header of an issue's messages says, but for subject (the edition's) and recipient.

    `list_domain` makes the List-Id (`asia-ai-daily.LIST_DOMAIN`) and the sender id of Feedback-ID. `date` is
    aware and the same for all messages of the issue. `archive_url` is None where the archive is private.
    """

    issue: IssueId
    title: str
    sender: Sender
    list_domain: str
    date: datetime
    archive_url: str | None = None
    unsubscribe_mailto: str | None = None


def constant_fields(headers: MailHeaders, subject: str) -> bytes:
    """The fields that are equal in all messages of an edition, in CRLF lines, without the content's own."""
    issue, sender = headers.issue, headers.sender
    list_id = f"<{issue.newsletter}.{clean(headers.list_domain)}>"  # RFC 2919
    lines = [
        _line("From", _own_mailbox(sender.name, sender.address)),
        field("Subject", subject),
        _line("Date", format_datetime(headers.date)),
        _line("List-Id", "\r\n ".join(filter(None, (phrase(headers.title), list_id)))),
        _line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),  # RFC 8058
        _line("Feedback-ID", _feedback_id(headers)),
        _line("Auto-Submitted", "auto-generated"),  # RFC 3834
        _line("Precedence", "bulk"),
        _line("MIME-Version", "1.0"),
    ]
    if headers.archive_url:
        lines.append(_line("List-Archive", angle_url(headers.archive_url)))
    if sender.reply_to:
        lines.append(_line("Reply-To", _own_mailbox("", sender.reply_to)))
    return b"".join(lines)


def reader_fields(headers: MailHeaders, recipient: Recipient, address: str, unsubscribe: str) -> bytes:
    """To, Message-ID and List-Unsubscribe of one message; raises `InputError` for what a header cannot hold.

    `address` is the recipient's as `ascii_domain` writes it.
    """
    message_id = recipient.message_id.strip("<>")
    if not _MESSAGE_ID.fullmatch(message_id):
        raise InputError(f"{recipient.message_id!r} is no Message-ID; one looks like <abc@example.com>")
    leave = angle_url(unsubscribe)
    if headers.unsubscribe_mailto:
        leave += ",\r\n " + _leave_by_mail(headers.unsubscribe_mailto, message_id)
    to = mailbox(recipient.name, address)
    return f"To: {to}\r\nMessage-ID: <{message_id}>\r\nList-Unsubscribe: {leave}\r\n".encode()


def envelope_sender(domain: str, token: str) -> str:
    """The envelope sender whose bounces lead back to one delivery; `token` is signed with `Purpose.BOUNCE`.

    Raises `ConfigurationError` when the local part would pass 64 octets.
    """
    local = f"bounce+{token}"
    if not _TOKEN.fullmatch(token) or len(local) > _LOCAL_PART:
        raise ConfigurationError(f"the bounce token {token!r} does not fit into a local part of {_LOCAL_PART} octets")
    return f"{local}@{domain}"


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")


def _own_mailbox(name: str, address: str) -> str:
    try:
        written = mailbox(name, ascii_domain(address))
    except InputError as error:
        raise ConfigurationError(f"the newsletter's own address: {error}") from None
    if not written.isascii():
        raise ConfigurationError(f"the newsletter's own address {address!r} must be in ASCII letters before the @")
    return written


def _feedback_id(headers: MailHeaders) -> str:
    """Campaign, newsletter, kind of mail, sender: Google's four fields, of which the sender id has 5 to 15 letters."""
    issue = headers.issue
    sender = re.sub(r"[^a-z0-9]", "", ascii_domain(f"a@{headers.list_domain}").lower()[2:])
    return f"{issue.day}:{issue.newsletter}:issue:{sender[:15]:x<5}"


def _leave_by_mail(address: str, message_id: str) -> str:
    # The Message-ID names the delivery and cannot be guessed, so whoever reads the mailbox knows who is leaving.
    plain = ascii_domain(address.removeprefix("mailto:").partition("?")[0])
    named = message_id if _PLAIN_ID.fullmatch(message_id) else quote(message_id)
    return angle_url(f"mailto:{plain}?subject=unsubscribe%20{named}")
