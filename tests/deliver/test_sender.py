"""The sender against the ledger: what is claimed is recorded, whatever happens in between."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.clock import Clock
from newsletter.deliver import Pauses, backoff, send
from newsletter.errors import StorageError, TransportError
from newsletter.model import DeliveryState, Message, Outcome, Recipient, Window
from newsletter.ports import Connection, Ledger, Transport
from newsletter.testing import MemoryLedger, MemoryTransport

Recipients = Callable[[int], list[Recipient]]
Make = Callable[[Recipient], Message]

PAUSES = Pauses(reconnect=(0.01, 0.01), record=(0.01, 0.01), look=0.01)


def work(ledger: Ledger, transport: Transport, make: Make, **options: object) -> None:
    clock = options.pop("clock", Clock())
    asyncio.run(send(ledger, transport, make, clock, pauses=PAUSES, **options))  # type: ignore[arg-type]


def states(ledger: MemoryLedger) -> dict[str, int]:
    return {str(state): count for state, count in Counter(ledger.state.values()).items()}


def test_everybody_once(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = MemoryLedger(recipients(230)), MemoryTransport(connections=4)
    seen: list[Mapping[str, int]] = []
    work(ledger, transport, make_message, progress=seen.append)
    assert states(ledger) == {"submitted": 230}
    assert Counter(m.envelope_to for m in transport.messages) == Counter(r.email for r in recipients(230))
    assert seen[-1]["submitted"] == 230
    work(ledger, transport, make_message)
    assert len(transport.messages) == 230, "repeating sends nothing again"


def test_no_more_connections_than_there_is_work_for(recipients: Recipients, make_message: Make) -> None:
    transport = MemoryTransport(connections=16)
    work(MemoryLedger(recipients(51)), transport, make_message)
    assert transport.connected == 2
    work(MemoryLedger(()), idle := MemoryTransport(), make_message)
    assert idle.connected == 0


@pytest.mark.parametrize("threads", [0, 2])
def test_a_message_that_cannot_be_made_parks_alone(recipients: Recipients, make_message: Make, threads: int) -> None:
    def make(recipient: Recipient) -> Message:
        if recipient.delivery == 3:
            raise ZeroDivisionError("one story divides by none")
        return make_message(recipient)

    ledger = MemoryLedger(recipients(5))
    work(ledger, MemoryTransport(), make, threads=threads)
    assert states(ledger) == {"submitted": 4, "failed": 1}
    assert ledger.reply[3] == "the message could not be made: one story divides by none"


def test_refusals_keep_the_servers_words(recipients: Recipients, make_message: Make) -> None:
    refuse = {"reader1@example.com": "550 no such user", "reader2@example.com": "451 later"}
    ledger = MemoryLedger(recipients(3))
    work(ledger, MemoryTransport(refuse=refuse), make_message)
    assert states(ledger) == {"submitted": 1, "rejected": 1, "deferred": 1}
    assert (ledger.reply[1], ledger.reply[2]) == ("550 no such user", "451 later")


def test_who_unsubscribed_since_the_freeze_gets_nothing(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = MemoryLedger(recipients(3), unwanted={1002}), MemoryTransport()
    work(ledger, transport, make_message)
    assert [m.envelope_to for m in transport.messages] == ["reader1@example.com", "reader3@example.com"]
    assert ledger.state[2] is DeliveryState.CANCELLED


def test_an_unreachable_server_leaves_the_ledger_as_it_was(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = MemoryLedger(recipients(3)), MemoryTransport()
    transport.out_of_order = True
    with pytest.raises(TransportError, match="out of order"):
        work(ledger, transport, make_message)
    assert states(ledger) == {"queued": 3}
    assert all(one.attempts == 0 for one in ledger.recipients.values())


def test_waiting_stays_for_the_deferred(recipients: Recipients, make_message: Make) -> None:
    pause = timedelta(minutes=5)
    ledger = MemoryLedger(recipients(3), backoff=lambda attempts: pause)
    transport = MemoryTransport(refuse={"reader2@example.com": "451 later"})
    clock = Clock(datetime(2026, 5, 27, tzinfo=UTC), speed=3000)  # five minutes in 0.1 s

    def see(counts: Mapping[str, int]) -> None:
        if ledger.recipients[2].attempts == 2 and ledger.state[2] is DeliveryState.DEFERRED:
            transport.refuse.clear()

    work(ledger, transport, make_message, clock=clock, wait=True, progress=see)
    assert states(ledger) == {"submitted": 3}
    assert ledger.recipients[2].attempts == 3


def test_it_waits_for_other_senders_and_recovers_what_the_dead_leave(
    recipients: Recipients, make_message: Make
) -> None:
    ledger = MemoryLedger(recipients(10))
    other = ledger.another_sender()
    other.turn(datetime.now(UTC), claim=4)
    killer = threading.Timer(0.1, other.die)
    killer.start()
    work(ledger, MemoryTransport(), make_message)
    killer.join()
    assert states(ledger) == {"submitted": 6, "unknown": 4}, "hold: nobody knows what the dead had done"


def test_two_senders_share_the_work(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = MemoryLedger(recipients(300)), MemoryTransport()

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            for one in (ledger, ledger.another_sender()):
                group.create_task(send(one, transport, make_message, Clock(), window=7, pauses=PAUSES))

    asyncio.run(both())
    assert states(ledger) == {"submitted": 300}
    assert max(Counter(m.envelope_to for m in transport.messages).values()) == 1


class Watched(MemoryTransport):
    """Calls `then` once `after` messages were taken; each message takes a moment."""

    def __init__(self, after: int, then: Callable[[], object]) -> None:
        super().__init__(connections=2)
        self.after, self.then = after, then

    async def connect(self) -> Connection:  # type: ignore[override]
        inner, outer = await super().connect(), self

        class Slow:
            async def carry(
                self,
                window: Sequence[Message],
                settle: Callable[[Outcome], None],
                leaving: Callable[[Message], None] = lambda message: None,
            ) -> None:
                for message in window:
                    await asyncio.sleep(0.001)
                    await inner.carry([message], settle, leaving)
                    if len(outer.messages) == outer.after:
                        outer.then()

            async def close(self) -> None:
                await inner.close()

        return Slow()


def test_stop_finishes_what_is_under_way(recipients: Recipients, make_message: Make) -> None:
    stopped: list[bool] = []
    ledger, transport = MemoryLedger(recipients(100)), Watched(7, lambda: stopped.append(True))
    work(ledger, transport, make_message, window=10, stop=lambda: bool(stopped))
    assert states(ledger) == {"submitted": 20, "queued": 80}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(recipients: Recipients, make_message: Make, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    ledger, transport = MemoryLedger(recipients(100)), Watched(7, lambda: os.kill(os.getpid(), number))
    work(ledger, transport, make_message, window=10)
    assert states(ledger) == {"submitted": 20, "queued": 80}
    assert signal.getsignal(number) is before


def test_it_runs_in_a_thread_too(recipients: Recipients, make_message: Make) -> None:
    ledger = MemoryLedger(recipients(5))
    thread = threading.Thread(target=work, args=(ledger, MemoryTransport(), make_message))
    thread.start()
    thread.join()
    assert states(ledger) == {"submitted": 5}


class FullDisk(MemoryLedger):
    """Refuses to record `times` times; nothing may be claimed meanwhile."""

    def __init__(self, recipients: Sequence[Recipient], times: int) -> None:
        super().__init__(recipients)
        self.times = times
        self.refusing = False

    def turn(
        self, now: datetime, *, carried: Window | None = None, outcomes: Sequence[Outcome] = (), claim: int = 0
    ) -> Window | None:
        if carried is not None:
            self.refusing = self.times > 0
            if self.refusing:
                self.times -= 1
                raise StorageError("the disk is full; make room")
        assert not (self.refusing and claim), "claimed while outcomes could not be recorded"
        return super().turn(now, carried=carried, outcomes=outcomes, claim=claim)


def test_outcomes_are_kept_until_the_ledger_takes_them(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = FullDisk(recipients(60), times=2), MemoryTransport()
    work(ledger, transport, make_message, window=10)
    assert states(ledger) == {"submitted": 60}
    assert len(transport.messages) == 60


def test_a_ledger_that_never_takes_them_ends_the_work_without_a_second_try(
    recipients: Recipients, make_message: Make
) -> None:
    ledger, transport = FullDisk(recipients(60), times=99), MemoryTransport()
    with pytest.raises(StorageError, match="disk is full"):
        work(ledger, transport, make_message, window=10)
    assert set(states(ledger)) == {"sending", "queued"}
    assert len(transport.messages) == states(ledger)["sending"] <= 20
    ledger.die()
    ledger.times = 0
    ledger.refusing = False
    rest = ledger.another_sender()
    work(rest, transport, make_message)
    assert max(Counter(m.envelope_to for m in transport.messages).values()) == 1
    assert set(states(ledger)) == {"submitted", "unknown"}


def test_a_surprise_in_one_carrier_ends_all_with_their_outcomes_recorded(
    recipients: Recipients, make_message: Make
) -> None:
    def surprise() -> None:
        raise KeyError("a fault in a transport")

    ledger, transport = MemoryLedger(recipients(100)), Watched(7, surprise)
    with pytest.raises(KeyError, match="a fault"):
        work(ledger, transport, make_message, window=10)
    assert states(ledger)["submitted"] == len(transport.messages) < 100
    assert "sending" not in states(ledger)


def test_backoff_doubles_from_five_minutes_to_two_hours() -> None:
    assert [backoff(n) / timedelta(minutes=1) for n in (1, 2, 3, 4, 5, 6, 60)] == [5, 10, 20, 40, 80, 120, 120]
