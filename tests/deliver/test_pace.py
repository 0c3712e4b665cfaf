"""How fast messages leave: never over the limit, slower when the server says so, and never stuck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clock import Clock
from newsletter.deliver import Pace, Pauses, send
from newsletter.deliver.pace import throttles
from newsletter.deliver.relay import Relay
from newsletter.deliver.smtp import SmtpTransport
from newsletter.errors import RefusingError, SettingError, TransportError
from newsletter.model import DeliveryState, Message, Outcome, Recipient
from newsletter.testing import MemoryLanes, MemoryLedger, MemoryTransport

from .fault_server import DROP, TAKE_AND_DROP, Fault, FaultServer

NOW = datetime(2026, 5, 27, 5, 30, tzinfo=UTC)
PAUSES = Pauses(reconnect=(0.01, 0.01), record=(0.01, 0.01), look=0.01)
Recipients = Callable[[int], list[Recipient]]
Make = Callable[[Recipient], Message]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.alone
@given(
    rate=st.floats(0.1, 1000),
    asks=st.lists(st.tuples(st.integers(1, 200), st.floats(0, 3)), min_size=1, max_size=60),
)
def test_in_no_stretch_of_time_does_more_leave_than_the_limit_and_one_burst(
    rate: float, asks: list[tuple[int, float]]
) -> None:
    """Whoever asks, and whenever: a second of the lane is given away once."""
    senders, now, given_away = [Pace(lanes := MemoryLanes(), "relay", rate), Pace(lanes, "relay", rate)], NOW, []
    for number, (wanted, passed) in enumerate(asks):
        now += seconds(passed)
        granted, start = senders[number % 2].reserve(wanted, now)
        assert 1 <= granted <= wanted
        assert start >= now
        given_away.append((start, granted))
    for first, (begin, _) in enumerate(given_away):
        sent = 0
        for start, granted in given_away[first:]:
            allowed = rate * (start - begin).total_seconds()
            assert sent <= allowed + 1e-3 * max(1, rate), "what left before has used up its time"
            sent += granted


def test_a_clock_that_was_hours_ahead_holds_nobody_up_for_hours() -> None:
    lanes = MemoryLanes()
    Pace(lanes, "relay", 100).reserve(50, NOW + timedelta(hours=2))
    _, start = Pace(lanes, "relay", 100).reserve(50, NOW)
    assert start - NOW < timedelta(minutes=2)


def test_a_complaint_halves_the_rate_for_all_and_it_grows_back_and_is_forgotten() -> None:
    lanes, now = MemoryLanes(), NOW
    first, second = Pace(lanes, "relay"), Pace(lanes, "relay")
    assert first.reserve(200, now) == (200, now), "nothing limits it"
    first.throttled(80, now)
    second.throttled(60, now + seconds(1))
    assert lanes.lanes["relay"].rate == 40, "sixteen connections that are turned away at once are one complaint"
    assert second.reserve(200, now)[0] == 10, "a quarter of a second's worth"
    rates = []
    for _ in range(200):
        now += seconds(10)
        second.reserve(1, now)
        second.welcome(now)
        rate = lanes.lanes["relay"].rate
        if rate is None:
            break
        rates.append(rate)
    assert rates[0] == 44
    assert rates.index(80) == 9, "back after a hundred seconds"
    assert lanes.lanes["relay"].rate is None, "and forgotten at last"
    assert first.reserve(200, now + seconds(1))[0] == 200


def test_after_a_storm_of_complaints_it_recovers_in_minutes() -> None:
    lanes, now = MemoryLanes(), NOW
    pace = Pace(lanes, "relay")
    for _ in range(20):
        pace.throttled(400, now)
        now += seconds(6)
    assert lanes.lanes["relay"].rate == 0.05, "somebody is always let through"
    for _ in range(12):
        now += seconds(10)
        pace.reserve(1, now)
        pace.welcome(now)
    assert lanes.lanes["relay"].rate == pytest.approx(240, abs=1)


def test_a_slowed_lane_comes_back_to_its_limit_and_no_further() -> None:
    lanes, now = MemoryLanes(), NOW
    pace = Pace(lanes, "relay", 100)
    pace.throttled(100, now)
    for _ in range(30):
        now += seconds(10)
        pace.reserve(1, now)
        pace.welcome(now)
    granted, start = pace.reserve(200, now + seconds(60))
    assert granted == 25
    assert pace.reserve(25, now + seconds(60))[1] - start == seconds(0.25)


@pytest.mark.parametrize(
    ("words", "busy"),
    [
        ("421 4.7.0 try again later", True),
        ("450 4.7.1 rate limit exceeded", True),
        ("451 too many messages from you", True),
        ("451 4.3.2 system not accepting messages", True),
        ("450 4.7.1 greylisted, try again in five minutes", False),
        ("450 4.1.2 <x@corporate.example>: Recipient address rejected: Domain not found", False),
        ("450 4.7.1 <moderate@rate.example>: Helo command rejected by rate.example.com", False),
        ("450 <mailbox@quota.example> too many messages, slow down", True),
        ("452 4.2.2 mailbox full, over quota", False),
        ("451 4.3.0 local error", False),
    ],
)
def test_what_speaks_of_how_much_we_send(words: str, busy: bool) -> None:
    assert throttles(Outcome(1, DeliveryState.DEFERRED, int(words[:3]), words)) is busy
    assert not throttles(Outcome(1, DeliveryState.REJECTED, 550, "550 rate"))


def work(ledger: MemoryLedger, transport: object, make: Make, pace: Pace | None = None) -> None:
    asyncio.run(send(ledger, transport, make, Clock(), pace=pace, pauses=PAUSES))  # type: ignore[arg-type]


def test_a_limit_is_kept_by_the_sender(recipients: Recipients, make_message: Make) -> None:
    ledger = MemoryLedger(recipients(100))
    before = time.monotonic()
    work(ledger, MemoryTransport(connections=4), make_message, Pace(MemoryLanes(), "relay", 200))
    assert time.monotonic() - before >= 0.24, "two windows of fifty at 200 a second"
    assert set(ledger.state.values()) == {DeliveryState.SUBMITTED}


def test_a_connection_carries_no_more_than_it_may(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = MemoryLedger(recipients(35)), MemoryTransport(connections=1, per_connection=10)
    work(ledger, transport, make_message)
    assert len(transport.messages) == 35
    assert transport.connected == 4


def test_a_complaint_ends_the_window_and_slows_what_follows(recipients: Recipients, make_message: Make) -> None:
    async def told() -> tuple[MemoryLedger, MemoryLanes]:
        ledger, lanes = MemoryLedger(recipients(120)), MemoryLanes()
        slow_down = Fault("dot", "451 4.7.0 too many messages, slow down", times=1, skip=10)
        async with FaultServer([slow_down]) as server:
            transport = SmtpTransport(Relay.parse(f"{server.url}?connections=1"))
            await send(ledger, transport, make_message, Clock(), pace=Pace(lanes, "relay"), pauses=PAUSES)
            assert len(server.taken) == 119
        return ledger, lanes

    ledger, lanes = asyncio.run(told())
    assert sum(state is DeliveryState.DEFERRED for state in ledger.state.values()) == 1
    assert sum(state is DeliveryState.SUBMITTED for state in ledger.state.values()) == 119
    assert lanes.lanes["relay"].slowed_from


def test_a_server_that_rejects_nearly_everybody_stops_the_send(recipients: Recipients, make_message: Make) -> None:
    async def refused() -> tuple[MemoryLedger, FaultServer]:
        ledger = MemoryLedger(recipients(2000))
        async with FaultServer([Fault("RCPT", "554 5.7.1 relay access denied", times=10**6)]) as server:
            transport = SmtpTransport(Relay.parse(f"{server.url}?connections=4"))
            with pytest.raises(RefusingError, match=r"(5\d) of the last \1 messages .* \(554 5\.7\.1 relay"):
                await send(ledger, transport, make_message, Clock(), pauses=PAUSES)
        return ledger, server

    ledger, server = asyncio.run(refused())
    rejected = sum(state is DeliveryState.REJECTED for state in ledger.state.values())
    assert 50 <= rejected <= 50 + 2 * 4, "what each connection had said already is answered"
    assert rejected + sum(state is DeliveryState.QUEUED for state in ledger.state.values()) == 2000
    assert not server.taken


def test_what_we_cannot_make_or_nobody_takes_stops_the_send_as_well(recipients: Recipients) -> None:
    def fails(_: Recipient) -> Message:
        raise ValueError("the template is broken")

    ledger = MemoryLedger(recipients(1000))
    with pytest.raises(RefusingError, match="the template is broken"):
        work(ledger, MemoryTransport(), fails)
    assert sum(state is DeliveryState.FAILED for state in ledger.state.values()) <= 60


def test_a_small_window_on_the_lane_takes_nothing_from_those_who_wait(make_message: Make) -> None:
    pace = Pace(MemoryLanes(), "relay", 400)
    for _ in range(8):
        pace.reserve(100, NOW)
    assert pace.reserve(1, NOW)[1] == NOW + seconds(2)


@pytest.mark.parametrize("per_connection", [1, 20])
def test_a_server_that_always_breaks_ends_the_send_however_few_a_connection_carries(
    recipients: Recipients, make_message: Make, per_connection: int
) -> None:
    async def broken() -> MemoryLedger:
        ledger = MemoryLedger(recipients(120))
        async with FaultServer([Fault("dot", TAKE_AND_DROP, times=10**6)]) as server:
            transport = SmtpTransport(Relay.parse(f"{server.url}?connections=2&messages={per_connection}"))
            with pytest.raises(TransportError, match="broke the line"):
                await send(ledger, transport, make_message, Clock(), pauses=PAUSES)
        return ledger

    ledger = asyncio.run(broken())
    assert sum(state is DeliveryState.UNKNOWN for state in ledger.state.values()) <= 20


@pytest.mark.parametrize("action", [DROP, "550 5.7.1 no"])
def test_one_message_that_breaks_the_line_holds_nobody_up(
    recipients: Recipients, make_message: Make, action: str
) -> None:
    """It parks alone, and its try counts; what the server said of it before it hung up counts at once."""

    async def poisoned() -> tuple[MemoryLedger, FaultServer]:
        ledger = MemoryLedger(recipients(30))
        poison = [Fault("RCPT", action, times=10**6, to=recipients(30)[0].email)]
        async with FaultServer(poison) as server:
            transport = SmtpTransport(Relay.parse(f"{server.url}?connections=1"))
            await send(ledger, transport, make_message, Clock(), pauses=PAUSES)
        return ledger, server

    ledger, server = asyncio.run(poisoned())
    assert len(server.taken) == 29
    first = recipients(30)[0].delivery
    assert ledger.state[first] is (DeliveryState.DEFERRED if action == DROP else DeliveryState.REJECTED)
    if action == DROP:
        assert "the line was lost at this message" in ledger.reply[first]


def test_a_slow_rate_outlasts_the_patience_of_a_server(recipients: Recipients, make_message: Make) -> None:
    ledger, transport = MemoryLedger(recipients(6)), MemoryTransport(connections=8)
    work(ledger, transport, make_message, Pace(MemoryLanes(), "relay", 4))
    assert set(ledger.state.values()) == {DeliveryState.SUBMITTED}
    assert transport.connected <= 2, "no more lines than the rate can feed"


def test_a_list_with_many_dead_addresses_is_sent_to_its_end(recipients: Recipients, make_message: Make) -> None:
    dead = {one.email: "550 5.1.1 no such user" for one in recipients(300) if one.delivery < 200}
    ledger = MemoryLedger(recipients(300))
    work(ledger, MemoryTransport(refuse=dead), make_message)
    assert set(ledger.state.values()) == {DeliveryState.SUBMITTED, DeliveryState.REJECTED}


@pytest.mark.parametrize(
    ("option", "rate"), [("rate=20", 20), ("rate=20/s", 20), ("rate=600/min", 10), ("rate=7200/h", 2)]
)
def test_a_rate_is_written_as_people_say_it(option: str, rate: float) -> None:
    assert Relay.parse(f"smtp://mail.example.com?{option}").rate == rate


@pytest.mark.parametrize("option", ["rate=0", "rate=fast", "rate=2/day", "rate=-1", "messages=0", "messages=x"])
def test_another_rate_is_refused_with_what_to_write(option: str) -> None:
    with pytest.raises(SettingError, match=option):
        Relay.parse(f"smtp://mail.example.com?{option}")
