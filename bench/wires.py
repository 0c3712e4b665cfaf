"""What a line costs: TLS, a long way, a signature; each against its yardstick in one run."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from bench.sending import sink, tool
from newsletter.clock import Clock
from newsletter.deliver import DkimKey, MailHeaders, compile_message, send
from newsletter.deliver.relay import Relay
from newsletter.deliver.smtp import SmtpTransport
from newsletter.model import Edition, IssueId, Message, Recipient, RenderedEdition, Sender
from newsletter.testing import MemoryLedger
from tests.servers import free_port

ROUNDS = 3
DELAY = 0.02
"""Seconds that each way takes: 40 ms for both."""


def measure() -> Sequence[str]:
    """The rows of the page."""
    return [
        "## Lines and signatures, messages of about 8 KB",
        "",
        "| what | messages/s | ratio | bar |",
        "|---|---|---|---|",
        *_tls(),
        *_far(),
        *_signed(),
    ]


def _tls(count: int = 1500) -> Iterator[str]:
    """STARTTLS against plain, the same aiosmtpd."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    authority = trustme.CA()
    for _ in range(ROUNDS):
        for secure in rates:
            with _python_server(authority if secure else None) as url:
                rates[secure].append(_rate(url, count, connections=8))
    plain, secure = (statistics.median(found) for found in rates.values())
    yield f"| aiosmtpd, plain | {plain:,.0f} | 1 | |"
    yield f"| aiosmtpd, STARTTLS | {secure:,.0f} | {secure / plain:.2f} | 0.7 |"


def _far(count: int = 60) -> Iterator[str]:
    """One connection to a server that is 40 ms away, ours against smtplib."""
    ours: list[float] = []
    theirs: list[float] = []
    with sink(tool("smtp-sink")) as port:
        for _ in range(ROUNDS):
            ours.append(_through_delay(port, lambda far: asyncio.to_thread(_rate, _url(far), count, connections=1)))
            theirs.append(_through_delay(port, lambda far: asyncio.to_thread(_smtplib_rate, far, count // 4)))
    one, other = statistics.median(ours), statistics.median(theirs)
    yield f"| one connection, 40 ms away, smtplib | {other:,.1f} | 1 | |"
    yield f"| one connection, 40 ms away, ours | {one:,.1f} | {one / other:.2f} | 3.5 |"


def _signed(count: int = 1500) -> Iterator[str]:
    """RSA-2048 signatures on every message, against signing alone in one thread."""
    key = DkimKey("example.com", "bench", generate_private_key(65537, 2048))
    bare: list[float] = []
    ours: list[float] = []
    with sink(tool("smtp-sink")) as port:
        for _ in range(ROUNDS):
            before = time.perf_counter()
            for number in range(300):
                key.sign(b"%d" % number * 100)
            bare.append(300 / (time.perf_counter() - before))
            ours.append(_rate(_url(port), count, connections=8, keys=[key], threads=2))
    alone, whole = statistics.median(bare), statistics.median(ours)
    yield f"| RSA-2048 alone, one thread | {alone:,.0f} | 1 | |"
    yield f"| messages signed and sent, two threads | {whole:,.0f} | {whole / alone:.2f} | 0.75 |"


def _rate(url: str, count: int, *, connections: int, keys: Sequence[DkimKey] = (), threads: int = 0) -> float:
    made = compile_message(_EDITION, _HEADERS, keys=keys)

    def make(recipient: Recipient) -> Message:
        return made.message(recipient, _SLOTS, "bounce@example.com")

    transport = SmtpTransport(Relay.parse(f"{url}connections={connections}"))
    before = time.perf_counter()
    ledger = MemoryLedger(_readers(count))
    asyncio.run(send(ledger, transport, make, Clock(), threads=threads))
    assert ledger.counts()["submitted"] == count
    return count / (time.perf_counter() - before)


def _smtplib_rate(port: int, count: int) -> float:
    made = compile_message(_EDITION, _HEADERS)
    before = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for recipient in _readers(count):
            message = made.message(recipient, _SLOTS, "bounce@example.com")
            server.sendmail(message.envelope_from, [message.envelope_to], message.data)
    return count / (time.perf_counter() - before)


def _through_delay(port: int, work: Callable[[int], Awaitable[float]]) -> float:
    async def run() -> float:
        async with _delayed(port) as far:
            return await work(far)

    return asyncio.run(run())


@asynccontextmanager
async def _delayed(port: int) -> AsyncIterator[int]:
    """A port from which every byte takes its time to `port`, and back; as many may be under way as like."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while data := await reader.read(1 << 16):
            loop.call_later(DELAY, writer.write, data)
        loop.call_later(DELAY, writer.close)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        with suppress(asyncio.CancelledError):  # the end of the measurement
            await asyncio.gather(carry(reader, back), carry(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextmanager
def _python_server(authority: trustme.CA | None) -> Iterator[str]:
    class Taker:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            return "250 2.0.0 taken"

    context = None
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "ca.pem"
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(context)
            authority.cert_pem.write_to_path(str(pem))
        port = free_port()
        controller = Controller(Taker(), hostname="127.0.0.1", port=port, tls_context=context)
        controller.start()
        try:
            tls = f"starttls=require&cafile={pem}&" if authority else ""
            yield f"{_url(port)}{tls}"
        finally:
            controller.stop()


def _url(port: int) -> str:
    return f"smtp://127.0.0.1:{port}?"


def _readers(count: int) -> list[Recipient]:
    return [
        Recipient(
            delivery=number,
            subscriber=number,
            email=f"reader{number}@example.com",
            name="",
            edition="CN.en",
            message_id=f"<{number}@example.com>",
        )
        for number in range(1, count + 1)
    ]


_SLOTS = {"name": "", **dict.fromkeys(("unsubscribe", "preferences", "view", "report"), "https://news.example.com/x")}
_EDITION = RenderedEdition(
    edition=Edition(("CN",), "en"),
    subject="Chips and courts",
    preheader="",
    html="<p>What happened in the courts, and what it means for chips.</p>\n" * 90,
    text="What happened in the courts.\n" * 60,
    stories=1,
    minutes=1,
)
_HEADERS = MailHeaders(
    issue=IssueId.parse("daily/2026-05-27"),
    title="Daily",
    sender=Sender("Daily", "daily@example.com"),
    list_domain="example.com",
    date=Clock().now(),
)
