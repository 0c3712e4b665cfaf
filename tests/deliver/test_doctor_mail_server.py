"""The doctor's visit to mail servers, good and bad: real sockets, real TLS, and no MAIL."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller

from newsletter.deliver import Relay
from newsletter.deliver.dialling import Patience
from newsletter.deliver.doctor import Diagnosis, Verdict, examine_mail_server
from tests.deliver.fault_server import DROP, SILENCE, Fault, FaultServer
from tests.deliver.test_smtp_servers import ImplicitTls, Keeper, authenticate

Authority = tuple[trustme.CA, Path]
HASTE = Patience(connect=2, greeting=0.4, command=0.4, goodbye=0.2)


def visited(url: str, now: datetime | None = None, seconds: float = 10) -> dict[str, Diagnosis]:
    relay = Relay.parse(url)
    return {found.check: found for found in examine_mail_server(relay, now or datetime.now(UTC), HASTE, seconds)}


async def end_others() -> None:
    """Cancel the conversations that a silent server still holds."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def serving(server: FaultServer) -> Iterator[FaultServer]:
    """The server, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(5)
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(5)
    finally:
        asyncio.run_coroutine_threadsafe(end_others(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def context_of(authority: Authority, expires: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("localhost", not_after=expires).configure_cert(context)
    return context


@contextmanager
def controlled(controller: Controller) -> Iterator[None]:
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def test_a_good_server_in_the_clear_is_left_politely() -> None:
    with serving(FaultServer(extensions=("SIZE 36700160", "SMTPUTF8"))) as server:
        found = visited(server.url)
        time.sleep(0.05)
        assert [command.split(" ")[0] for command in server.commands] == ["EHLO", "QUIT"]
    assert {name: each.verdict for name, each in found.items()} == {
        "SMTP": Verdict.OK,
        "TLS": Verdict.OK,
        "login": Verdict.LEFT_OUT,
        "PIPELINING": Verdict.OK,
        "extensions": Verdict.OK,
    }
    assert found["extensions"].message == "it offers SIZE (up to 36.7 MB a message), SMTPUTF8, 8BITMIME."


def test_what_a_poor_server_lacks() -> None:
    with serving(FaultServer(pipelining="no")) as server:
        found = visited(server.url)
    assert found["PIPELINING"].verdict is Verdict.WARNING
    assert "no SIZE, no SMTPUTF8" in found["extensions"].message
    with serving(FaultServer(esmtp=False)) as server:
        assert "no 8BITMIME" in visited(server.url)["extensions"].message
    with serving(FaultServer(extensions=("SIZE",))) as server:
        assert "SIZE without a limit" in visited(server.url)["extensions"].message


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("greeting", DROP), "broke the line"),
        (Fault("greeting", SILENCE), "did not answer within"),
        (Fault("greeting", "554 no\x1b[31m go away"), "554 no [31m go away"),
        (Fault("EHLO", "421 busy"), "421 busy"),
        (Fault("EHLO", SILENCE), "did not answer within"),
        (Fault("greeting", "hello there"), "is no SMTP reply; is it a mail server?"),
    ],
)
def test_a_server_that_does_not_take_us(fault: Fault, words: str) -> None:
    with serving(FaultServer([fault])) as server:
        found = visited(server.url)
    assert list(found) == ["SMTP"]
    assert found["SMTP"].verdict is Verdict.FAILED
    assert words in found["SMTP"].message
    assert found["SMTP"].message.isprintable()
    assert found["SMTP"].fix


def test_nobody_there_and_no_starttls(any_port: Callable[[], int]) -> None:
    found = visited(f"smtp://127.0.0.1:{any_port()}")
    assert "cannot be reached" in found["SMTP"].message
    with serving(FaultServer()) as server:
        assert "stripping" in visited(f"{server.url}?starttls=require")["SMTP"].message
    assert "cafile" in visited("smtps://127.0.0.1?cafile=/nowhere.pem")["SMTP"].message


def test_the_visit_is_bounded() -> None:
    with serving(FaultServer(delay=0.3)) as server:
        assert "had not taken us after 0.1 s" in visited(server.url, seconds=0.1)["SMTP"].message


@pytest.mark.parametrize(("days", "verdict"), [(15, Verdict.OK), (13, Verdict.WARNING)])
def test_starttls_tells_when_the_certificate_ends(
    authority: Authority, any_port: Callable[[], int], days: int, verdict: Verdict
) -> None:
    expires = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    port = any_port()
    with controlled(Controller(Keeper(), "localhost", port, tls_context=context_of(authority, expires))):
        found = visited(f"smtp://localhost:{port}?starttls=require&cafile={authority[1]}")
        refused = visited(f"smtp://localhost:{port}?starttls=require")
    assert found["TLS"].verdict is verdict
    assert found["TLS"].message.startswith(f"TLSv1.3, and the certificate holds until {expires:%Y-%m-%d %H:%M} UTC")
    assert "its certificate does not hold" in refused["SMTP"].message


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_login(authority: Authority, any_port: Callable[[], int]) -> None:
    port = any_port()
    controller = ImplicitTls(
        Keeper(), context_of(authority), hostname="localhost", port=port, authenticator=authenticate,
        auth_required=True, auth_require_tls=False,
    )  # fmt: skip
    with controlled(controller):
        url = f"@localhost:{port}?cafile={authority[1]}"
        good = visited(f"smtps://desk:p%40ss%2F%C3%BC{url}")
        bad = visited(f"smtps://desk:wrong{url}")
    assert good["login"].message == "the login of desk is taken."
    assert good["TLS"].verdict is Verdict.OK
    assert bad["SMTP"].verdict is Verdict.FAILED
    assert "refused the login of desk: 535" in bad["SMTP"].message
    assert "wrong" not in str(bad)


def test_in_the_clear_off_this_machine_is_a_warning() -> None:
    with serving(FaultServer()) as server:
        # Linux takes 0.0.0.0 for this machine too; by its name it is not loopback.
        relay = replace(Relay.parse(f"{server.url}?starttls=never"), host="0.0.0.0")
        found = {each.check: each for each in examine_mail_server(relay, datetime.now(UTC), HASTE)}
    assert found["TLS"].verdict is Verdict.WARNING
    assert "starttls=never" in found["TLS"].fix
