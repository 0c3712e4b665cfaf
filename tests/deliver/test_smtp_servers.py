"""Real servers: aiosmtpd with STARTTLS, implicit TLS and logins; Debian's smtp-sink with PIPELINING."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from newsletter.clock import Clock
from newsletter.deliver import MailHeaders, compile_message
from newsletter.deliver.dialling import Patience
from newsletter.deliver.line import Line
from newsletter.deliver.relay import Relay
from newsletter.deliver.sender import Pauses, send
from newsletter.deliver.smtp import SmtpTransport
from newsletter.errors import SettingError, TransportError
from newsletter.model import DeliveryState, Message, Recipient, RenderedEdition
from newsletter.ports import SLOT_NAMES, slot
from newsletter.testing import MemoryLedger
from tests.deliver.fault_server import FaultServer

Recipients = Callable[[int], list[Recipient]]
Make = Callable[[Recipient], Message]
Authority = tuple[trustme.CA, Path]

PAUSES = Pauses(reconnect=(), record=(), look=0.01)
PATIENCE = Patience(connect=5, greeting=5, command=5, dot=5, goodbye=1)


class Keeper:
    """What the server took, and whether each came over TLS and after a login."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.contents: list[bytes] = []
        self.tls: set[bool] = set()
        self.logged_in: set[bool] = set()

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return ["250-PIPELINING", *responses]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.update(envelope.rcpt_tos)
        assert isinstance(envelope.original_content, bytes)
        self.contents.append(envelope.original_content)
        assert server.transport is not None
        self.tls.add(server.transport.get_extra_info("sslcontext") is not None)
        self.logged_in.add(bool(session.authenticated))
        return "250 2.0.0 kept"


class ImplicitTls(Controller):
    """A controller whose port speaks TLS from the first byte."""

    def __init__(self, keeper: Keeper, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(keeper, ssl_context=context, **options)

    def _trigger_server(self) -> None:
        """A first conversation, which aiosmtpd waits for; its own probe cannot do TLS with a server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((self.hostname, self.port), 5) as plain, context.wrap_socket(plain) as probe:
            probe.recv(100)


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    good = (data.login, data.password) == (b"desk", "p@ss/ü".encode())
    return AuthResult(success=good, handled=False)


@contextmanager
def running(controller: Controller) -> Iterator[None]:
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def server_context(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("localhost").configure_cert(context)
    return context


def carry(url: str, recipients: list[Recipient], make: Make, password: str | None = None) -> MemoryLedger:
    ledger = MemoryLedger(recipients)
    transport = SmtpTransport(Relay.parse(url, password), PATIENCE)
    asyncio.run(send(ledger, transport, make, Clock(), window=4, pauses=PAUSES))
    return ledger


def submitted(ledger: MemoryLedger) -> int:
    return ledger.counts()[DeliveryState.SUBMITTED]


def test_starttls_is_verified_and_carries_everything(
    recipients: Recipients,
    make_message: Make,
    authority: Authority,
    server_context: ssl.SSLContext,
    any_port: Callable[[], int],
) -> None:
    keeper, port = Keeper(), any_port()
    with running(Controller(keeper, "localhost", port, tls_context=server_context, require_starttls=True)):
        ledger = carry(
            f"smtp://localhost:{port}?starttls=require&connections=2&cafile={authority[1]}", recipients(9), make_message
        )
    assert submitted(ledger) == 9
    assert keeper.tls == {True}
    assert keeper.taken == Counter({one.email: 1 for one in recipients(9)})


def test_a_certificate_nobody_vouches_for_ends_it(
    recipients: Recipients,
    make_message: Make,
    authority: Authority,
    server_context: ssl.SSLContext,
    any_port: Callable[[], int],
) -> None:
    keeper, port = Keeper(), any_port()
    with running(Controller(keeper, "localhost", port, tls_context=server_context)):
        with pytest.raises(TransportError, match="certificate does not hold"):
            carry(f"smtp://localhost:{port}?starttls=require", recipients(1), make_message)
        with pytest.raises(TransportError, match=r"certificate does not hold.*127\.0\.0\.1"):
            carry(f"smtp://127.0.0.1:{port}?starttls=require&cafile={authority[1]}", recipients(1), make_message)
    assert not keeper.taken


def test_starttls_that_is_stripped_sends_nothing(recipients: Recipients, make_message: Make) -> None:
    async def run() -> FaultServer:
        async with FaultServer() as server:
            transport = SmtpTransport(Relay.parse(f"{server.url}?starttls=require"))
            with pytest.raises(TransportError, match="stripping"):
                await transport.connect()
        return server

    assert [command.split(" ")[0] for command in asyncio.run(run()).commands] == ["EHLO"]


def test_what_was_said_before_the_handshake_is_not_believed() -> None:
    class Injecting(FaultServer):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            writer.write(b"220 x\r\n")
            await reader.readline()
            writer.write(b"250-x\r\n250 STARTTLS\r\n")
            await reader.readline()
            writer.write(b"220 go\r\n250 AUTH PLAIN\r\n")
            await reader.read(100)

    async def run() -> None:
        async with Injecting() as server:
            with pytest.raises(TransportError, match="between STARTTLS and the handshake"):
                await SmtpTransport(Relay.parse(f"{server.url}?starttls=require")).connect()

    asyncio.run(run())


# aiosmtpd counts only STARTTLS as TLS.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("without", [(), ("PLAIN",)], ids=["PLAIN", "LOGIN"])
def test_login_over_implicit_tls(
    recipients: Recipients,
    make_message: Make,
    authority: Authority,
    server_context: ssl.SSLContext,
    any_port: Callable[[], int],
    without: tuple[str, ...],
) -> None:
    keeper, port = Keeper(), any_port()
    controller = ImplicitTls(
        keeper,
        server_context,
        hostname="localhost",
        port=port,
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
        auth_exclude_mechanism=without,
    )
    url = f"@localhost:{port}?cafile={authority[1]}&connections=1"
    with running(controller):
        assert submitted(carry(f"smtps://desk:p%40ss%2F%C3%BC{url}", recipients(5), make_message)) == 5
        assert submitted(carry(f"smtps://desk{url}", recipients(1), make_message, "p@ss/ü")) == 1
        with pytest.raises(TransportError, match="refused the login of desk: 535"):
            carry(f"smtps://desk:wrong{url}", recipients(1), make_message)
        with pytest.raises(TransportError, match="without login or TLS: 530"):
            carry(f"smtps://{url[1:]}", recipients(1), make_message)
    assert keeper.logged_in == {True}
    assert keeper.tls == {True}


def test_a_password_never_leaves_in_the_clear() -> None:
    relay = Relay.parse("smtp://desk:secret@mail.example.com?starttls=never")
    assert "secret" not in repr(relay)

    async def run() -> list[str]:
        async with FaultServer(extensions=("AUTH PLAIN",)) as server:
            near = Relay(host="127.0.0.1", port=server.port, starttls=False, user="desk", password="secret")
            await (await SmtpTransport(near).connect()).close()
            # Linux takes 0.0.0.0 for this machine too; by its name it is not loopback.
            far = replace(near, host="0.0.0.0")
            with pytest.raises(TransportError, match="a password is not sent in the clear"):
                await SmtpTransport(far).connect()
        return server.commands

    commands = asyncio.run(run())
    assert sum(command.startswith("AUTH") for command in commands) == 1


def test_login_that_is_not_offered() -> None:
    async def run() -> None:
        async with FaultServer() as server:
            with pytest.raises(TransportError, match="neither AUTH PLAIN nor AUTH LOGIN"):
                await SmtpTransport(Relay.parse(f"smtp://desk:x@127.0.0.1:{server.port}")).connect()

    asyncio.run(run())


def test_an_unreachable_server_is_named(
    recipients: Recipients, make_message: Make, any_port: Callable[[], int]
) -> None:
    port = any_port()
    with pytest.raises(TransportError, match=f"127.0.0.1:{port} cannot be reached .*NEWSLETTER_SMTP_URL"):
        carry(f"smtp://127.0.0.1:{port}", recipients(1), make_message)


def test_nagle_is_off() -> None:
    async def run() -> int:
        async with FaultServer() as server:
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(Line, "127.0.0.1", server.port)
            option: int = line.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await line.hang_up(1)
        return option

    assert asyncio.run(run()) != 0


def test_two_servers_count_the_same_and_get_what_was_meant(
    recipients: Recipients,
    headers: MailHeaders,
    render: Callable[..., RenderedEdition],
    sink: tuple[int, Path],
    any_port: Callable[[], int],
) -> None:
    body = "\n".join(f".{n} Chips & ข่าว" for n in range(80)) + "".join(f"\n{slot(name)}" for name in SLOT_NAMES)
    edition = compile_message(render(f"<p>{body}</p>", body), headers)
    made: dict[str, bytes] = {}

    def make(recipient: Recipient) -> Message:
        links = {name: f"https://news.example.com/{name}/..{recipient.delivery}" for name in SLOT_NAMES}
        message = edition.message(recipient, links | {"name": recipient.name}, "bounce+x@example.com")
        made[recipient.email] = message.data
        return message

    keeper, (port, folder), other = Keeper(), sink, any_port()
    with running(Controller(keeper, "127.0.0.1", other)):
        assert submitted(carry(f"smtp://127.0.0.1:{other}?connections=3", recipients(60), make)) == 60
    assert keeper.taken == Counter(dict.fromkeys(made, 1))
    assert Counter(keeper.contents) == Counter(made.values())
    assert submitted(carry(f"smtp://127.0.0.1:{port}?connections=3", recipients(60), make)) == 60
    dumped = [file.read_bytes() for file in folder.glob("m.*")]
    assert len(dumped) == 60
    for data in made.values():  # smtp-sink writes LF for CRLF, below a few lines of its own
        assert sum(data.replace(b"\r\n", b"\n").strip() in dump for dump in dumped) == 1


def test_an_unreadable_authority_file_is_a_setting_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cafile"):
        SmtpTransport(Relay.parse(f"smtps://localhost?cafile={tmp_path}/none.pem"))
