"""From a relay's name to a line that takes mail: connect, greeting, EHLO, TLS, login."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.deliver.line import Line
from newsletter.deliver.relay import Relay
from newsletter.deliver.replies import Reply
from newsletter.errors import SettingError, TransportError

__all__ = ["Extensions", "Patience", "Secured", "dial", "secured", "take_leave", "tls_context"]

_SIZE = re.compile(r"\d{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds to wait for what (RFC 5321 section 4.5.3.2); a shorter wait for the dot makes doubts."""

    connect: float = 30
    greeting: float = 300
    command: float = 300
    dot: float = 600
    goodbye: float = 2


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the server offers (RFC 5321 section 4.1.1.1), keywords in capitals with their parameters."""

    offered: Mapping[str, str]

    @classmethod
    def of(cls, reply: Reply) -> Extensions:
        """Read the answer to EHLO; its first line is the server's name."""
        lines = (line.decode("ascii", "replace").strip() for line in reply.lines[1:])
        # "AUTH=PLAIN": how servers wrote it before RFC 4954, and some still do.
        words = (re.split(r"[ =]", line, maxsplit=1) for line in lines)
        return cls({word[0].upper(): word[1] if word[1:] else "" for word in words})

    @property
    def pipelining(self) -> bool:
        """Whether commands may follow one another unanswered (RFC 2920)."""
        return "PIPELINING" in self.offered

    @property
    def smtputf8(self) -> bool:
        """Whether addresses need not be ASCII (RFC 6531)."""
        return "SMTPUTF8" in self.offered

    @property
    def eight_bit(self) -> bool:
        """Whether a body need not be 7-bit (RFC 6152)."""
        return "8BITMIME" in self.offered

    @property
    def announces_size(self) -> bool:
        """Whether MAIL may say how large the message is (RFC 1870)."""
        return "SIZE" in self.offered

    @property
    def largest(self) -> int | None:
        """How many bytes a message may have; None when the server sets no limit."""
        limit = self.offered.get("SIZE", "")
        return int(limit) or None if _SIZE.fullmatch(limit) else None

    @property
    def logins(self) -> frozenset[str]:
        """The mechanisms of AUTH, in capitals."""
        return frozenset(self.offered.get("AUTH", "").upper().split())


@dataclass(frozen=True, slots=True)
class Secured:
    """How a line is protected: the version of TLS, and until when (aware UTC) the server's certificate holds."""

    version: str
    expires: datetime


def tls_context(relay: Relay) -> ssl.SSLContext | None:
    """What verifies the relay's certificate and name; None when the relay is spoken to without TLS.

    Raises `SettingError` when the file of authorities cannot be read.
    """
    if not (relay.tls or relay.starttls):
        return None
    try:
        return ssl.create_default_context(cafile=relay.cafile)
    except OSError as error:  # ssl.SSLError is one
        raise SettingError(f"NEWSLETTER_SMTP_URL: cafile={relay.cafile} cannot be read ({error})") from None


async def dial(relay: Relay, context: ssl.SSLContext | None, patience: Patience) -> tuple[Line, Extensions]:
    """A line on which MAIL may be said; raises `TransportError` with what to do, and leaves no line open then."""
    line = await _connect(relay, context if relay.tls else None, patience)
    try:
        return line, await _introduce(line, relay, context, patience)
    except BaseException as error:
        await line.hang_up(0)
        if isinstance(error, OSError | TransportError):  # TimeoutError and ssl.SSLError are OSErrors
            raise TransportError(f"{relay}: {_sentence(error)}") from error
        raise


def secured(line: Line) -> Secured | None:
    """What protects a line that `dial` has opened; None for one in the clear."""
    tls: ssl.SSLObject | None = line.transport.get_extra_info("ssl_object")
    if tls is None:
        return None
    certificate = tls.getpeercert() or {}
    expires = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return Secured(tls.version() or "TLS", datetime.fromtimestamp(expires, UTC))


async def take_leave(line: Line, patience: Patience) -> None:
    """Say QUIT where the server listens for it, and hang up; never raises."""
    if line.quiet:
        try:
            line.write(b"QUIT\r\n")
            await line.reply(patience.goodbye)
        except TransportError:
            pass  # it hung up first, which is as good
    await line.hang_up(patience.goodbye)


async def _connect(relay: Relay, context: ssl.SSLContext | None, patience: Patience) -> Line:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience.connect):
            _, line = await loop.create_connection(Line, relay.host, relay.port, ssl=context, happy_eyeballs_delay=0.25)
    except OSError as error:
        raise TransportError(
            f"the mail server {relay} cannot be reached ({_sentence(error)}); check NEWSLETTER_SMTP_URL"
        ) from error
    return line


async def _introduce(line: Line, relay: Relay, context: ssl.SSLContext | None, patience: Patience) -> Extensions:
    greeting = await line.reply(patience.greeting)
    if not greeting.good:
        raise TransportError(f"the mail server does not take us now: {greeting.text}")
    extensions = await _hello(line, patience)
    if relay.starttls:
        assert context is not None, "tls_context makes one when the relay asks for STARTTLS"
        extensions = await _secure(line, relay, context, extensions, patience)
    if relay.user:
        await _log_in(line, relay, extensions, patience)
    return extensions


async def _hello(line: Line, patience: Patience) -> Extensions:
    name = _own_name(line)
    reply = await _ask(line, b"EHLO " + name, patience)
    if reply.good:
        return Extensions.of(reply)
    if reply.code == 421:
        raise TransportError(f"the mail server does not take us now: {reply.text}")
    refused, reply = reply, await _ask(line, b"HELO " + name, patience)
    if not reply.good:
        raise TransportError(f"the mail server refused EHLO ({refused.text}) and HELO ({reply.text})")
    return Extensions({})


async def _secure(
    line: Line, relay: Relay, context: ssl.SSLContext, extensions: Extensions, patience: Patience
) -> Extensions:
    if "STARTTLS" not in extensions.offered:
        raise TransportError(
            "the mail server offers no STARTTLS, so nothing is sent; somebody may be stripping it."
            " If this server has none, starttls=never in NEWSLETTER_SMTP_URL sends in the clear"
        )
    reply = await _ask(line, b"STARTTLS", patience)
    if not reply.good:
        raise TransportError(f"the mail server refused STARTTLS: {reply.text}")
    await line.start_tls(context, relay.host, patience.connect)
    return await _hello(line, patience)


async def _log_in(line: Line, relay: Relay, extensions: Extensions, patience: Patience) -> None:
    if not (relay.tls or relay.starttls or relay.on_loopback):
        raise TransportError("a password is not sent in the clear; take starttls=never out of NEWSLETTER_SMTP_URL")
    user, password = (relay.user or "").encode(), (relay.password or "").encode()
    if "PLAIN" in extensions.logins:
        reply = await _ask(line, b"AUTH PLAIN " + base64.b64encode(b"\0" + user + b"\0" + password), patience)
    elif "LOGIN" in extensions.logins:
        reply = await _ask(line, b"AUTH LOGIN", patience)
        for secret in (user, password):
            if reply.code == 334:
                reply = await _ask(line, base64.b64encode(secret), patience)
    else:
        raise TransportError("the mail server offers neither AUTH PLAIN nor AUTH LOGIN; NEWSLETTER_SMTP_URL has a user")
    if not reply.good:
        raise TransportError(f"the mail server refused the login of {relay.user}: {reply.text}; check the password")


async def _ask(line: Line, command: bytes, patience: Patience) -> Reply:
    line.write(command + b"\r\n")
    return await line.reply(patience.command)


def _own_name(line: Line) -> bytes:
    """Our host name where it has a domain, else our end's address as a literal (RFC 5321 section 4.1.4)."""
    if "." in (name := socket.gethostname()) and name.isascii():
        return name.encode()
    address = line.transport.get_extra_info("sockname")[0]
    return (f"[IPv6:{address}]" if ":" in address else f"[{address}]").encode()


def _sentence(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {error.verify_message}"
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error)
