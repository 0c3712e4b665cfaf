"""Ten thousand messages of every kind on the wire: to a server that keeps each byte, to aiosmtpd, to smtp-sink."""

from __future__ import annotations

import asyncio
import email
import email.policy
import hashlib
import os
import re
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.clock import Clock
from newsletter.deliver import MailHeaders, SplicedEdition, compile_message, envelope_sender, send
from newsletter.deliver.dkim import read_keys
from newsletter.deliver.relay import Relay
from newsletter.deliver.smtp import SmtpTransport
from newsletter.model import DeliveryState, Message, Recipient, RenderedEdition
from newsletter.newsroom import Newsroom
from newsletter.newsroom.readership.readers import slots_of
from newsletter.render import Templates, fill_html, fill_text
from newsletter.testing import MemoryLedger
from newsletter.words import visible
from tests.deliver.reading import HEADER_NAMES, mailboxes, unspaced
from tests.deliver.recording_server import RecordingServer
from tests.deliver.variety import DOMAINS, Variety
from tests.desks import approved_desk

SEED = int(os.environ.get("WIRE_SEED", secrets.randbelow(10**6)))
EDITIONS, READERS_OF_EACH = 400, 25
OF_TEMPLATES = 100
"""Of the editions those that a shipped template made; a message of these has about 20 KB, of the others 2."""
CONTROL = re.compile(rb"[^\t\r\n -~\x80-\xff]")
BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
DUMPED = re.compile(
    rb"(?:X-(?:Client|Helo)-.*\n)+X-Mail-Args: <(?P<sender>.*)>\nX-Rcpt-Args: <(?P<recipient>.*)>\n"
    rb"Received: .*\n(?:\t.*\n)+(?P<content>(?s:.*))\n"
)
LONGEST_LINE, LONGEST_COMMAND = 998, 512  # RFC 5322 section 2.1.1, RFC 5321 section 4.5.3.1.4

Heard = Counter[tuple[str, str, str]]
"""Envelope sender, envelope recipient and the hash of the content, of each message that a server took."""


@dataclass
class Traffic:
    """Editions by number and the readers of each, and what each message of theirs should say."""

    editions: Mapping[str, tuple[RenderedEdition, MailHeaders, bool]]
    """What is mailed, its header fields, and whether its messages are signed."""
    recipients: Sequence[Recipient]
    slots: Mapping[int, Mapping[str, str]]

    def make(self, recipient: Recipient) -> Message:
        """The recipient's message, made as a send makes it."""
        sender = envelope_sender("bounce.example.com", f"{recipient.delivery:x}-{recipient.message_id[1:9].strip('.')}")
        return self._compiled[recipient.edition].message(recipient, self.slots[recipient.delivery], sender)

    @cached_property
    def _compiled(self) -> Mapping[str, SplicedEdition]:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        keys = read_keys("example.com", ("s1",), pem)
        return {
            number: compile_message(rendered, headers, keys=keys if signed else ())
            for number, (rendered, headers, signed) in self.editions.items()
        }

    @cached_property
    def heard(self) -> Heard:
        """What a server that takes everything should have heard."""
        return Counter(
            (made.envelope_from, made.envelope_to, hashlib.sha256(made.data).hexdigest())
            for made in map(self.make, self.recipients)
        )

    def carry(self, url: str) -> MemoryLedger:
        """Send all of it, as `issue send` does but for its database."""
        ledger = MemoryLedger(self.recipients)
        asyncio.run(send(ledger, SmtpTransport(Relay.parse(f"{url}?connections=4")), self.make, Clock()))
        return ledger


@pytest.fixture(autouse=True)
def told_seed() -> None:
    """A test that fails shows what makes it fail again."""
    print(f"WIRE_SEED={SEED}")


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    variety, templates = Variety(SEED), Templates(cache=tmp_path_factory.mktemp("cache"))
    editions = {
        str(number): (
            variety.rendered(templates) if number < OF_TEMPLATES else variety.raw(),
            variety.headers(),
            number % 4 == 0,
        )
        for number in range(EDITIONS)
    }
    readers = [variety.reader(number, str(number % EDITIONS)) for number in range(1, EDITIONS * READERS_OF_EACH + 1)]
    return Traffic(editions, readers, {one.delivery: variety.slots(one) for one in readers})


@pytest.fixture(scope="module")
def recorded(traffic: Traffic) -> RecordingServer:
    """The server after it has taken everything."""
    with RecordingServer() as server:
        ledger = traffic.carry(server.url)
    assert ledger.counts()[DeliveryState.SUBMITTED] == len(traffic.recipients)
    return server


def test_no_bare_line_end_and_no_long_line_ever_leaves(recorded: RecordingServer) -> None:
    assert_grammar(recorded)
    verbs = Counter(command[:5] for command in recorded.commands)
    conversations = verbs.pop(b"EHLO ")
    assert conversations <= 4
    number = len(recorded.taken)
    assert verbs == {b"MAIL ": number, b"RCPT ": number, b"DATA\r": number, b"QUIT\r": conversations}


def test_every_message_arrives_as_it_was_meant(recorded: RecordingServer, traffic: Traffic) -> None:
    readers = {one.message_id: one for one in traffic.recipients}
    for taken in recorded.taken:
        message = email.message_from_string(taken.undotted.decode())
        reader = readers.pop(message["Message-ID"])
        rendered, headers, signed = traffic.editions[reader.edition]
        slots = traffic.slots[reader.delivery]
        assert sorted(message.keys()) == sorted(expected_names(headers, signed)), "nothing in a value became a header"
        assert_says(message, rendered, slots)
        assert mailboxes(read("From", message["From"])) == [(unspaced(headers.sender.name), headers.sender.address)]
        shown = read("To", message["To"]).addresses[0]
        name, address = unspaced(shown.display_name), (shown.username, shown.domain)
        assert (name, address) == (unspaced(reader.name), (local_part(reader).strip('"'), domain(reader)))
        assert read("Date", message["Date"]).datetime == headers.date
    assert not readers, "each Message-ID once, and nobody is left"


def test_every_envelope_is_its_readers_own(recorded: RecordingServer, traffic: Traffic) -> None:
    wanted = Counter(f"{local_part(one)}@{domain(one)}" for one in traffic.recipients)
    assert Counter(taken.recipient for taken in recorded.taken) == wanted
    senders = {taken.sender for taken in recorded.taken}
    assert len(senders) == len(recorded.taken)
    assert all(re.fullmatch(r"bounce\+[0-9a-f.-]+@bounce\.example\.com", sender) for sender in senders)


def test_only_a_reader_whose_address_needs_it_is_sent_utf8(recorded: RecordingServer, traffic: Traffic) -> None:
    international = {taken.recipient for taken in recorded.taken if "SMTPUTF8" in taken.parameters}
    assert international == {f"{local_part(one)}@{domain(one)}" for one in traffic.recipients if not plain(one)}
    assert all(taken.content.isascii() for taken in recorded.taken if taken.recipient not in international)
    assert 0 < len(international) < len(recorded.taken) / 5


class Keeper:
    """What aiosmtpd took."""

    def __init__(self) -> None:
        self.heard: Heard = Counter()

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return ["250-PIPELINING", *responses]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.original_content, bytes)
        (recipient,) = envelope.rcpt_tos
        self.heard[envelope.mail_from or "", recipient, hashlib.sha256(envelope.original_content).hexdigest()] += 1
        return "250 2.0.0 kept"


def test_aiosmtpd_counts_the_same_messages(traffic: Traffic, any_port: Callable[[], int]) -> None:
    keeper, port = Keeper(), any_port()
    controller = Controller(keeper, "127.0.0.1", port, enable_SMTPUTF8=True)
    controller.start()
    try:
        ledger = traffic.carry(f"smtp://127.0.0.1:{port}")
    finally:
        controller.stop()
    assert ledger.counts()[DeliveryState.SUBMITTED] == len(traffic.recipients)
    assert unquoted(keeper.heard) == unquoted(traffic.heard)


def test_smtp_sink_counts_the_same_messages(traffic: Traffic, sink: tuple[int, Path]) -> None:
    """It has no SMTPUTF8, so that whose address needs it is not asked to take it."""
    port, folder = sink
    ledger = traffic.carry(f"smtp://127.0.0.1:{port}")
    refused = {one.delivery for one in traffic.recipients if not plain(one)}
    assert {one for one, state in ledger.state.items() if state is DeliveryState.REJECTED} == refused
    assert ledger.counts()[DeliveryState.SUBMITTED] == len(traffic.recipients) - len(refused)
    heard = Counter(dumped(file.read_bytes()) for file in folder.glob("m.*"))
    assert heard == Counter({key: number for key, number in traffic.heard.items() if key[1].isascii()})


def test_lines_of_somebody_elses_that_begin_with_dots_arrive_as_they_were(traffic: Traffic) -> None:
    variety, readers = Variety(SEED), traffic.recipients[:500]
    written = {one.delivery: variety.foreign(one) for one in readers}

    def make(recipient: Recipient) -> Message:
        made = traffic.make(recipient)
        return Message(made.delivery, made.envelope_from, made.envelope_to, written[recipient.delivery])

    with RecordingServer() as server:
        transport = SmtpTransport(Relay.parse(f"{server.url}?connections=2"))
        asyncio.run(send(MemoryLedger(readers), transport, make, Clock()))
    ended = (content if content.endswith(b"\r\n") else content + b"\r\n" for content in written.values())
    assert Counter(taken.undotted for taken in server.taken) == Counter(ended)
    assert any(b"\r\n..\r\n" in taken.content for taken in server.taken)


def test_a_whole_issue_arrives_as_its_previews_show_it(tmp_path: Path) -> None:
    """From story files, a list of subscribers and schedule.yaml to the wire, sent by the command itself."""
    variety = Variety(SEED)
    people = [variety.reader(number, "") for number in range(800)]
    stories = [variety.story_file() for _ in range(5)]
    title, sender = variety.injection(), variety.injection()
    with RecordingServer() as server:
        environ = {
            "NEWSLETTER_SMTP_URL": f"{server.url}?connections=3",
            "NEWSLETTER_UNSUBSCRIBE_MAILTO": "go@example.com",
        }
        listed = ((one.email, one.name) for one in people)
        folder = tmp_path / "desk"
        issue = approved_desk(folder, environ, listed, title=title, sender=sender, archive="public", stories=stories)
        command = [sys.executable, "-m", "newsletter", "issue", "send", str(issue)]
        subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)
    assert_grammar(server)
    with Newsroom.open(folder, environ=environ) as room:
        rows = {row.message_id: row for row in room.deliveries.rows(issue)}
        assert len(server.taken) == len(rows) > 400, "controls in a name and quoted local parts are refused on import"
        assert {taken.recipient for taken in server.taken} < {f"{local_part(one)}@{domain(one)}" for one in people}
        assert len({taken.sender for taken in server.taken}) == len(rows)
        (rendered,) = room.seals.editions(issue, 1).values()
        for taken in server.taken:
            message = email.message_from_string(taken.undotted.decode())
            row = rows.pop(message["Message-ID"])
            assert taken.recipient == row.email
            assert sorted(message.keys()) == sorted(set(HEADER_NAMES) - {"Reply-To"})
            assert_says(message, rendered, slots_of(room, issue, row.edition, row.email))
            assert mailboxes(read("From", message["From"])) == [(unspaced(sender), "daily@example.com")]


def assert_grammar(server: RecordingServer) -> None:
    """CRLF ends every line, none is too long, and what is not 7-bit was announced and is an address."""
    assert server.taken
    for said in (*server.commands, *(taken.content for taken in server.taken)):
        assert not BARE.search(said), said
        assert not CONTROL.search(said), said
        assert said.endswith(b"\r\n")
        assert max(map(len, said.split(b"\r\n"))) <= LONGEST_LINE
    assert max(map(len, server.commands)) <= LONGEST_COMMAND
    for taken in server.taken:
        utf8 = not taken.recipient.isascii()
        assert taken.parameters == [f"SIZE={len(taken.undotted)}", *(["BODY=8BITMIME", "SMTPUTF8"] if utf8 else [])]
        assert taken.content.replace(taken.recipient.encode(), b"", utf8).isascii()


def assert_says(message: Any, rendered: RenderedEdition, slots: Mapping[str, str]) -> None:
    """Both parts are what a preview shows, and subject and link of the header those of the edition and the reader."""
    assert not message.defects
    text, html = message.get_payload()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_payload(decode=True).decode() == fill_text(crlf(rendered.text), slots)
    page = html.get_payload(decode=True).decode()
    assert same_quotes(page) == same_quotes(fill_html(crlf(rendered.html), slots))
    assert read("Subject", message["Subject"]) == visible(rendered.subject)
    assert unquote(message["List-Unsubscribe"].partition(">")[0]) == f"<{slots['unsubscribe']}"


def unquoted(heard: Heard) -> Heard:
    """Without the quotation marks of local parts, which aiosmtpd takes off where it can."""
    return Counter({(sender, to.replace('"', ""), content): times for (sender, to, content), times in heard.items()})


def expected_names(headers: MailHeaders, signed: bool) -> list[str]:
    left_out = {"List-Archive"} if headers.archive_url is None else set()
    left_out |= {"Reply-To"} if headers.sender.reply_to is None else set()
    return [*(["DKIM-Signature"] if signed else []), *(name for name in HEADER_NAMES if name not in left_out)]


@lru_cache(1024)
def read(name: str, value: str) -> Any:
    """A header field as the standard library understands it; those of an edition are all the same."""
    return email.policy.SMTPUTF8.header_fetch_parse(name, value)


def crlf(text: str) -> str:
    return re.sub("\r\n?|\n", "\r\n", text)


def same_quotes(markup: str) -> str:
    """One way of writing quotation marks: previews have the shorter."""
    return markup.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def local_part(recipient: Recipient) -> str:
    return recipient.email.rpartition("@")[0]


def plain(recipient: Recipient) -> bool:
    return local_part(recipient).isascii()


def domain(recipient: Recipient) -> str:
    return DOMAINS[recipient.email.rpartition("@")[2]]


def dumped(data: bytes) -> tuple[str, str, str]:
    """A message of smtp-sink's, which writes LF for CRLF and some lines of its own above it."""
    found = DUMPED.fullmatch(data)
    assert found is not None, data[:500]
    content = found["content"].replace(b"\n", b"\r\n")
    return found["sender"].decode(), found["recipient"].decode(), hashlib.sha256(content).hexdigest()
