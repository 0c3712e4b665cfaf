"""The outbox: one whole file a message, or none."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from newsletter.clock import Clock
from newsletter.deliver import Pauses, outbox_folder, send
from newsletter.deliver.outbox import OutboxTransport
from newsletter.errors import TransportError
from newsletter.model import DeliveryState, IssueId, Message, Outcome, Recipient
from newsletter.testing import MemoryLedger

Recipients = Callable[[int], list[Recipient]]
Make = Callable[[Recipient], Message]


def carry(folder: Path, window: list[Message]) -> list[Outcome]:
    settled: list[Outcome] = []

    async def run() -> None:
        connection = await OutboxTransport(folder).connect()
        await connection.carry(window, settled.append)
        await connection.close()

    asyncio.run(run())
    return settled


def test_each_message_is_one_file(tmp_path: Path, recipients: Recipients, make_message: Make) -> None:
    folder = tmp_path / "outbox" / "asia-ai-daily" / "2026-05-27"
    window = [make_message(one) for one in recipients(3)]
    settled = carry(folder, window)
    assert [outcome.state for outcome in settled] == [DeliveryState.SUBMITTED] * 3
    assert sorted(path.read_bytes() for path in folder.iterdir()) == sorted(message.data for message in window)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}, "links in it speak for the reader"
    assert all(path.name.startswith("reader") and path.suffix == ".eml" for path in folder.iterdir())
    carry(folder, window)
    assert len(list(folder.iterdir())) == 3, "a repeat overwrites itself"


def test_no_address_leads_out_of_the_folder(tmp_path: Path, recipients: Recipients, make_message: Make) -> None:
    message = make_message(recipients(1)[0])
    odd = [
        "../../x@example.com",
        "/etc/passwd@x",
        ".@x",
        "-rf@x",
        "a\0b@x",
        "ก" * 200 + "@x",
        "x" * 300 + "@example.com",
    ]
    folder = tmp_path / "outbox"
    carry(folder, [message._replace(envelope_to=address, content=message.data + address.encode()) for address in odd])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outbox"]
    names = [path.name for path in folder.iterdir()]
    assert len(names) == len(odd)
    assert not any(name.startswith((".", "-")) for name in names)


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow over 8 KB: the nearest thing to a full disk without one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_a_file_that_cannot_be_written_whole_leaves_nothing(
    tmp_path: Path, recipients: Recipients, make_message: Make
) -> None:
    small, large, _ = window = [make_message(one)._replace(content=b"x" * 100) for one in recipients(3)]
    window[1] = large._replace(content=b"x" * 10_000)
    settled: list[Outcome] = []

    async def run() -> None:
        await (await OutboxTransport(tmp_path / "o").connect()).carry(window, settled.append)

    with pytest.raises(TransportError, match=r"o cannot be written: File too large; make room"):
        asyncio.run(run())
    assert [outcome.delivery for outcome in settled] == [small.delivery]
    assert [path.suffix for path in (tmp_path / "o").iterdir()] == [".eml"]


def test_a_full_disk_ends_the_send_with_nobody_lost(
    tmp_path: Path, recipients: Recipients, make_message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter([*[None] * 7, *[OSError(errno.ENOSPC, "No space left on device")] * 99])
    really = os.fsync

    def fsync(descriptor: int) -> None:
        if error := next(calls):
            raise error
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    ledger = MemoryLedger(recipients(10))
    pauses = Pauses(reconnect=(0.01,), look=0.01)
    with pytest.raises(TransportError, match="No space left on device"):
        asyncio.run(send(ledger, OutboxTransport(tmp_path / "o"), make_message, Clock(), pauses=pauses))
    assert set(ledger.state.values()) == {DeliveryState.QUEUED}, "the folder's entries were never on disk"
    monkeypatch.undo()
    asyncio.run(send(ledger, OutboxTransport(tmp_path / "o"), make_message, Clock(), pauses=pauses))
    assert set(ledger.state.values()) == {DeliveryState.SUBMITTED}
    assert len(list((tmp_path / "o").iterdir())) == 10


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file is in the way")
    with pytest.raises(TransportError, match="outbox/x cannot be written"):
        carry(tmp_path / "outbox" / "x", [])


def test_outbox_folder(tmp_path: Path) -> None:
    issue = IssueId("asia-ai-daily", date(2026, 5, 27))
    assert outbox_folder(tmp_path, issue) == tmp_path / "outbox/asia-ai-daily/2026-05-27"
    assert outbox_folder(tmp_path, replace(issue, number=2)) == tmp_path / "outbox/asia-ai-daily/2026-05-27-2"
