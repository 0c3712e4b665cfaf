"""Every fault of the server: nobody is lost, nobody gets two, and doubt is named only where there is doubt."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.clock import Clock
from newsletter.deliver.dialling import Patience
from newsletter.deliver.relay import Relay
from newsletter.deliver.sender import Pauses, send
from newsletter.deliver.smtp import SmtpTransport
from newsletter.errors import TransportError
from newsletter.model import DeliveryState, Message, Recipient
from newsletter.testing import MemoryLedger
from tests.deliver.fault_server import DROP, SILENCE, TAKE_AND_DROP, Fault, FaultServer

Recipients = Callable[[int], list[Recipient]]
Make = Callable[[Recipient], Message]

HASTE = Patience(connect=2, greeting=0.4, command=0.4, dot=0.4, goodbye=0.2)
PAUSES = Pauses(reconnect=(0.01, 0.01, 0.01), record=(0.01,), look=0.01)
COUNT = 12


def deliver(
    server: FaultServer, recipients: list[Recipient], make: Make, connections: int = 2
) -> tuple[MemoryLedger, TransportError | None]:
    """Send to everybody through the server; the ledger afterwards, and the error that ended the work, if one did."""
    ledger = MemoryLedger(recipients)

    async def run() -> TransportError | None:
        async with server:
            transport = SmtpTransport(Relay.parse(f"{server.url}?connections={connections}"), HASTE)
            try:
                await send(ledger, transport, make, Clock(), window=5, pauses=PAUSES)
            except TransportError as error:
                return error
        return None

    return ledger, asyncio.run(run())


def assert_true_books(server: FaultServer, ledger: MemoryLedger) -> None:
    """The ledger against the server's own memory."""
    assert max(server.taken.values(), default=0) <= 1, "duplicates"
    assert ledger.counts()[DeliveryState.SENDING] == 0, "everything in hand was recorded"
    for delivery, state in ledger.state.items():
        took = server.taken[ledger.recipients[delivery].email]
        if state is DeliveryState.SUBMITTED:
            assert took == 1, "phantom"
        elif state is not DeliveryState.UNKNOWN:
            assert took == 0, f"taken, but {state}"


def states(ledger: MemoryLedger) -> dict[str, int]:
    return {str(state): count for state, count in Counter(ledger.state.values()).items()}


ONCE: dict[str, dict[str, dict[str, int]]] = {
    "greeting": {DROP: {}, "421 busy": {}, "554 no": {}},
    "EHLO": {DROP: {}, "421 busy": {}, "451 later": {}, "550 no": {}},
    "MAIL": {
        DROP: {},
        "421 too many messages": {},
        "451 later": {"deferred": 1},
        "550 no": {"rejected": 1},
        "503 out of step": {"deferred": 1},
        "530 login first": {},
    },
    "RCPT": {DROP: {}, "421 away": {"deferred": 1}, "451 grey": {"deferred": 1}, "550 no such user": {"rejected": 1}},
    "DATA": {DROP: {}, "421 away": {"deferred": 1}, "451 later": {"deferred": 1}, "554 no": {"rejected": 1}},
    "content": {DROP: {"unknown": 1}},
    "dot": {
        DROP: {"unknown": 1},
        TAKE_AND_DROP: {"unknown": 1},
        "421 away": {"deferred": 1},
        "452 full": {"deferred": 1},
        "554 spam": {"rejected": 1},
        "354 nonsense": {"unknown": 1},
    },
}


@pytest.mark.parametrize("pipelining", ["yes", "no"])
@pytest.mark.parametrize("skip", [0, 3], ids=["first", "mid-chain"])
@pytest.mark.parametrize(
    ("verb", "action", "left"), [(verb, action, left) for verb, row in ONCE.items() for action, left in row.items()]
)
def test_one_fault(
    recipients: Recipients, make_message: Make, verb: str, action: str, left: dict[str, int], skip: int, pipelining: str
) -> None:
    server = FaultServer(
        [Fault(verb, action, skip=skip if verb not in ("greeting", "EHLO") else 0)], pipelining=pipelining
    )
    ledger, error = deliver(server, recipients(COUNT), make_message)
    assert error is None
    assert_true_books(server, ledger)
    assert states(ledger) == {"submitted": COUNT - sum(left.values())} | left


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize("action", ["451 later", "550 no"])
def test_everybody_refused(recipients: Recipients, make_message: Make, verb: str, action: str) -> None:
    server = FaultServer([Fault(verb, action, times=99)])
    ledger, error = deliver(server, recipients(COUNT), make_message)
    assert error is None
    assert_true_books(server, ledger)
    assert states(ledger) == {"deferred" if action[0] == "4" else "rejected": COUNT}
    assert set(ledger.reply.values()) == {action}, "the server's own words are kept"


@pytest.mark.parametrize(
    ("verb", "action", "words"),
    [
        ("greeting", "421 go away", "does not take us now: 421 go away"),
        ("greeting", "hello?", "no SMTP reply"),
        ("MAIL", "421 go away", "sent us away"),
        ("MAIL", "530 5.7.0 authentication required", "without login or TLS: 530"),
        ("RCPT", DROP, "broke the line"),
        ("MAIL", SILENCE, "did not answer within 0.4 s"),
        ("greeting", SILENCE, "did not answer within 0.4 s"),
        ("MAIL", "250-" + "x" * 9000, "is it a mail server?"),
        ("MAIL", "x" * 5000, "is it a mail server?"),
        ("EHLO", "\r\n".join(["250-x"] * 300), "no SMTP reply"),
        ("MAIL", "\r\n".join(["250 x"] * 50), "out of step"),
        ("greeting", "\r\n".join(["220 x"] * 50), "floods us"),
    ],
)
def test_a_server_that_never_works_ends_the_send(
    recipients: Recipients, make_message: Make, verb: str, action: str, words: str
) -> None:
    server = FaultServer([Fault(verb, action, times=99)])
    ledger, error = deliver(server, recipients(COUNT), make_message)
    assert error is not None
    assert words in str(error)
    assert_true_books(server, ledger)
    assert states(ledger) == {"queued": COUNT}, "nothing left, so all may be tried again"


def test_a_line_without_end_is_cut(recipients: Recipients, make_message: Make) -> None:
    class Endless(FaultServer):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            while not writer.is_closing():
                writer.write(b"2" * 65536)
                await asyncio.sleep(0.001)

    ledger, error = deliver(Endless(), recipients(3), make_message)
    assert "line without end" in str(error)
    assert states(ledger) == {"queued": 3}


def test_a_server_that_always_breaks_after_the_dot_makes_few_doubts(recipients: Recipients, make_message: Make) -> None:
    server = FaultServer([Fault("dot", TAKE_AND_DROP, times=99)])
    ledger, error = deliver(server, recipients(100), make_message)
    assert error is not None
    assert_true_books(server, ledger)
    lanes, conversations_each = 2, 1 + len(PAUSES.reconnect)
    assert 1 <= states(ledger)["unknown"] <= lanes * conversations_each
    assert all("after the final dot" in ledger.reply[d] for d, s in ledger.state.items() if s is DeliveryState.UNKNOWN)


def test_silence_after_the_dot_is_a_doubt(recipients: Recipients, make_message: Make) -> None:
    server = FaultServer([Fault("dot", SILENCE, to="reader2@example.com")])
    ledger, error = deliver(server, recipients(5), make_message)
    assert error is None
    assert ledger.state[2] is DeliveryState.UNKNOWN
    assert states(ledger) == {"submitted": 4, "unknown": 1}


def test_a_refused_recipient_mid_chain_may_leave_a_data_behind(recipients: Recipients, make_message: Make) -> None:
    faults = [Fault("RCPT", "550 no such user", to=f"reader{n}@example.com") for n in (1, 4, 5, 12)]
    for lenient in (False, True):  # lenient: 354 without any recipient, answered with a lone dot
        server = FaultServer([replace(f) for f in faults], data_without_recipients=lenient)
        ledger, error = deliver(server, recipients(COUNT), make_message)
        assert error is None
        assert_true_books(server, ledger)
        assert {d for d, s in ledger.state.items() if s is DeliveryState.REJECTED} == {1, 4, 5, 12}
        assert states(ledger) == {"rejected": 4, "submitted": 8}
        assert server.commands.count("RSET") >= 2, "the refused envelope is cleared before the next"


def test_an_early_refusal_is_this_messages_own(recipients: Recipients, make_message: Make) -> None:
    early = Fault("DATA", "354 go ahead\r\n550 early", to="reader2@example.com")
    server = FaultServer([early])
    ledger, error = deliver(server, recipients(5), make_message)
    assert error is None
    assert_true_books(server, ledger)
    assert ledger.state[2] is DeliveryState.REJECTED
    assert ledger.reply[2] == "550 early"
    assert states(ledger) == {"rejected": 1, "submitted": 4}


def test_an_unasked_good_answer_is_not_believed(recipients: Recipients, make_message: Make) -> None:
    server = FaultServer([Fault("DATA", "354 go ahead\r\n250 already taken", to="reader2@example.com")])
    ledger, error = deliver(server, recipients(5), make_message)
    assert error is None
    assert_true_books(server, ledger)
    assert states(ledger) == {"submitted": 5}, "nothing had been written, so it was tried again"


@pytest.mark.parametrize("more", ["250 2.0.0 and thanks", "451 4.3.0 on second thoughts", "no reply at all"])
@pytest.mark.parametrize("skip", [2, 4], ids=["mid-window", "last of a window"])
def test_an_answer_counts_though_nonsense_follows_it(
    recipients: Recipients, make_message: Make, more: str, skip: int
) -> None:
    server = FaultServer([Fault("dot", f"250 2.0.0 taken\r\n{more}", skip=skip)])
    ledger, error = deliver(server, recipients(COUNT), make_message, connections=1)
    assert error is None
    assert_true_books(server, ledger)
    # A refusal in mid-window stands where the next message's is awaited: it is tried again later.
    assert states(ledger) in ({"submitted": COUNT}, {"submitted": COUNT - 1, "deferred": 1})
    assert "deferred" not in states(ledger) or (skip, more[:3]) == (2, "451")
    assert server.conversations == 2, "a server out of step has lost its conversation"


def test_a_server_without_esmtp(recipients: Recipients, make_message: Make) -> None:
    server = FaultServer(esmtp=False)
    ledger, _ = deliver(server, recipients(COUNT), make_message)
    assert states(ledger) == {"submitted": COUNT}
    assert any(command.startswith("HELO ") for command in server.commands)


def test_a_server_that_lies_about_pipelining_is_spoken_to_in_lock_step(
    recipients: Recipients, make_message: Make
) -> None:
    server = FaultServer(pipelining="lie")
    ledger, error = deliver(server, recipients(COUNT), make_message)
    assert error is None
    assert_true_books(server, ledger)
    assert states(ledger) == {"submitted": COUNT}


def test_a_slow_server(recipients: Recipients, make_message: Make) -> None:
    server = FaultServer(delay=0.01)
    ledger, _ = deliver(server, recipients(COUNT), make_message)
    assert states(ledger) == {"submitted": COUNT}


def test_chained_messages_need_no_reset_and_one_round_trip(recipients: Recipients, make_message: Make) -> None:
    server = FaultServer()
    ledger, _ = deliver(server, recipients(5), make_message)
    assert states(ledger) == {"submitted": 5}
    assert [command.split(" ")[0] for command in server.commands] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"]


def test_contents_arrive_as_they_were(recipients: Recipients) -> None:
    def dotted(recipient: Recipient) -> Message:
        return Message(recipient.delivery, "b@example.com", recipient.email, b".a\r\n..b\r\n.\r\nMAIL FROM:<x>\r\n")

    server = FaultServer()
    ledger, _ = deliver(server, recipients(3), dotted)
    assert states(ledger) == {"submitted": 3}
    assert server.contents == [b".a\r\n..b\r\n.\r\nMAIL FROM:<x>\r\n"] * 3


def test_a_message_that_the_server_cannot_take_is_rejected_alone(recipients: Recipients, make_message: Make) -> None:
    odd = {2: "กานต์@example.com", 3: "a b@example.com", 4: "x@example.com>\r\nRCPT TO:<y@example.com"}

    def make(recipient: Recipient) -> Message:
        made = make_message(recipient)._replace(envelope_to=odd.get(recipient.delivery, recipient.email))
        if recipient.delivery == 5:
            return made._replace(content=made.data * 3)
        if recipient.delivery == 6:
            return made._replace(content=b"a\n.\r\nMAIL FROM:<x>\r\n")
        return made

    server = FaultServer(extensions=("SIZE 30000",))
    ledger, error = deliver(server, recipients(8), make)
    assert error is None
    assert states(ledger) == {"submitted": 3, "rejected": 5}
    assert "SMTPUTF8" in ledger.reply[2]
    assert "correct the address" in ledger.reply[3]
    assert "correct the address" in ledger.reply[4]
    assert "the mail server takes 30000" in ledger.reply[5]
    assert "bare line end" in ledger.reply[6]
    assert server.taken == Counter({f"reader{n}@example.com": 1 for n in (1, 7, 8)})


def test_smtputf8_is_asked_for_only_where_it_is_needed(recipients: Recipients, make_message: Make) -> None:
    def make(recipient: Recipient) -> Message:
        address = "กานต์@example.com" if recipient.delivery == 2 else "a@example.com"
        return make_message(recipient)._replace(envelope_to=address)

    server = FaultServer(extensions=("SMTPUTF8", "SIZE"))
    ledger, _ = deliver(server, recipients(2), make)
    assert states(ledger) == {"submitted": 2}
    mails = [command for command in server.commands if command.startswith("MAIL")]
    assert [mail.endswith(" BODY=8BITMIME SMTPUTF8") for mail in mails] == [False, True]
    assert all(" SIZE=" in mail for mail in mails)


def test_a_cancelled_conversation_names_the_doubt(recipients: Recipients, make_message: Make) -> None:
    ledger = MemoryLedger(recipients(5))

    async def run() -> None:
        async with FaultServer([Fault("dot", SILENCE, to="reader3@example.com")]) as server:
            transport = SmtpTransport(Relay.parse(server.url))
            work = asyncio.create_task(send(ledger, transport, make_message, Clock(), pauses=PAUSES))
            await asyncio.sleep(0.3)  # by then the third message waits for its answer
            assert server.taken.total() == 2
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work

    asyncio.run(run())
    assert states(ledger) == {"submitted": 2, "unknown": 1, "queued": 2}
