"""The promise where the database cannot be written: a disk that refuses to be synced, and a lock that others hold."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter.model import DeliveryState
from tests.conftest import system_tool

from .scene import Scene

READERS = 160
"""On one connection these are more than one window: an outcome and the next intent share a commit."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One `issue send` while the disk failed: what it ended with, what the books said then, what had been taken."""

    hit: bool
    code: int
    said: str
    states: Mapping[str, DeliveryState]
    taken: Mapping[str, int]

    @property
    def unwritten(self) -> list[str]:
        """Whose message the server took with neither an intent nor an outcome in the books."""
        written = (DeliveryState.SENDING, DeliveryState.SUBMITTED)
        return [email for email in self.taken if self.states.get(email) not in written]


class FailingDisk:
    """A scene whose senders get EIO for chosen syncs; each `fail` begins with a desk that nobody has sent from."""

    def __init__(self, scene: Scene, strace: str) -> None:
        self.scene = scene
        self._strace = strace
        self._fresh, self._number = scene.folder, 0

    def begin(self, when: str) -> subprocess.Popen[str]:
        """`issue send` on a fresh desk. `when` counts syncs from 1: `3` the third, `3+` all from it, `3..5` three."""
        self._number += 1
        self.scene.folder = self._fresh.with_name(f"desk{self._number}")
        shutil.copytree(self._fresh, self.scene.folder)
        self.scene.server.taken.clear()
        inject = f"inject=fsync,fdatasync:error=EIO:when={when}"
        traced = [
            self._strace,
            "-f",
            "--seccomp-bpf",
            "-qq",
            "-o",
            str(self._log),
            "-e",
            "trace=fsync,fdatasync",
            "-e",
            inject,
        ]
        return self._send(*traced)

    def fail(self, when: str) -> Tried:
        """Begin, and wait for its end."""
        process = self.begin(when)
        said = process.communicate()[1]
        with self.scene.room() as room:
            states = {row.email: row.state for row in room.deliveries.rows(self.scene.issue)}
        hit = "INJECTED" in self._log.read_text()
        return Tried(hit, process.returncode, said, states, Counter(self.scene.server.taken))

    def recover(self) -> None:
        """A second `issue send`, on a disk that is well again; nothing is lost, twice or in doubt."""
        process = self._send()
        said = process.communicate()[1]
        assert process.returncode in (0, 4), said
        verdict = self.scene.verdict()
        assert verdict.kept, verdict
        assert not verdict.unknown, verdict

    @property
    def _log(self) -> Path:
        return self.scene.folder.with_suffix(".strace")

    def _send(self, *before: str) -> subprocess.Popen[str]:
        command = [*before, sys.executable, "-m", "newsletter", "issue", "send", str(self.scene.issue)]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.scene.folder, env=dict(self.scene.environ), **pipes)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingDisk]:
    strace = system_tool("strace", "strace")
    if subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode:
        pytest.skip("missing permission: strace may not trace here")
    with Scene(tmp_path_factory.mktemp("disk") / "desk", readers=READERS, connections=1) as scene:
        yield FailingDisk(scene, strace)


@pytest.fixture(scope="module")
def single(disk: FailingDisk) -> Sequence[Tried]:
    """What an error at each sync of a send comes to, in their order; each is followed by a second send."""
    found = []
    while (tried := disk.fail(str(len(found) + 1))).hit:
        found.append(tried)
        disk.recover()
    assert tried.code == 0
    return found


@pytest.fixture(scope="module")
def first_intent(single: Sequence[Tried]) -> int:
    """Which sync is that of the first intent: the first after the freeze."""
    return next(number for number, tried in enumerate(single, 1) if tried.states and not tried.taken)


def test_an_error_at_any_one_sync_loses_nothing_and_sends_nothing_twice(single: Sequence[Tried]) -> None:
    """Every end is a whole send or a plain error; what the errors left was checked after a second send."""
    for tried in single:
        assert tried.code in (0, 1), tried.said
        assert "Traceback" not in tried.said
        if tried.code == 1:
            assert "disk of the database is full or failing" in tried.said
        else:
            assert tried.taken.keys() == tried.states.keys()
    assert {tried.code for tried in single} == {0, 1}


def test_nothing_is_sent_without_a_durable_intent(single: Sequence[Tried], first_intent: int) -> None:
    assert [tried.unwritten for tried in single] == [[]] * len(single)
    refused = single[first_intent - 1]
    assert refused.code == 1
    assert set(refused.states.values()) == {DeliveryState.QUEUED}
    assert not refused.taken


def test_a_send_goes_on_by_itself_once_outcomes_can_be_written_again(disk: FailingDisk, first_intent: int) -> None:
    tried = disk.fail(f"{first_intent + 1}..{first_intent + 3}")
    assert tried.hit
    assert tried.code == 0, tried.said
    assert set(tried.states.values()) == {DeliveryState.SUBMITTED}
    disk.recover()


def test_a_sender_killed_while_it_cannot_write_outcomes_leaves_no_doubt(disk: FailingDisk, first_intent: int) -> None:
    """What the server answered is known: from the write-ahead log, if that kept what it could not promise to keep, or
    from the flight recorder."""
    process = disk.begin(f"{first_intent + 1}+")
    _wait_until(lambda: sum(disk.scene.server.taken.values()) >= 50)
    time.sleep(1)
    assert process.poll() is None, "it insists"
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
    os.kill(int(child), signal.SIGKILL)
    process.communicate()
    assert 50 <= len(disk.scene.server.taken) < READERS, "nothing new is begun while outcomes wait"
    disk.recover()


def test_an_intent_that_comes_back_to_life_leaves_no_doubt(disk: FailingDisk, first_intent: int) -> None:
    """The write-ahead log still holds the transaction whose sync failed; whoever opens the database next finds it."""
    tried = disk.fail(f"{first_intent}+")
    assert tried.code == 1
    assert not tried.taken
    disk.recover()


def test_a_lock_that_another_program_holds_for_a_while_only_costs_time(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=1500, connections=2) as scene:
        sender = scene.start()
        with locked(scene):
            held_up = sum(scene.server.taken.values())
            time.sleep(1.5)
            assert sum(scene.server.taken.values()) == held_up < scene.readers
        sender.join()
        assert sender.exitcode == 0
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert not verdict.unknown


def test_a_sender_killed_while_it_waits_for_a_lock_leaves_no_doubt(tmp_path: Path) -> None:
    """Of what the server answered nothing is in the database: the flight recorder alone knows it."""
    with Scene(tmp_path / "desk", readers=1500, connections=1) as scene:
        sender = scene.start()
        with locked(scene):
            sender.kill()
            sender.join()
        with scene.room() as room:
            recorded = room.deliveries.counts(scene.issue)[DeliveryState.SUBMITTED]
        assert recorded < sum(scene.server.taken.values()) < scene.readers
        scene.finish()
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert not verdict.unknown


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    """Another program writes to the database from the middle of a send on; the block begins once nothing goes on."""
    _wait_until(lambda: sum(scene.server.taken.values()) >= 100)
    with closing(sqlite3.connect(scene.folder / "newsletter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1.5)
        yield


def _wait_until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")
