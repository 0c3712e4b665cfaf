"""The promise under kill -9, in a short form; `make torture` is the long one."""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from pathlib import Path

import pytest

from newsletter.deliver.conversing import MOST
from tests.deliver.fault_server import TAKE_AND_DROP, Fault

from .scene import Scene
from .senders import POINTS

IN_DOUBT = "after the write with the dot"
"""Of the ten points the one after which nobody can know: from the write that holds the dot to the answer read."""


def test_killed_at_each_of_the_ten_points(tmp_path: Path, empty_database: str) -> None:
    """A desk of its own for each would take minutes: one issue, and a sender that dies at each point in turn."""
    with Scene(tmp_path / "desk", readers=900, database_url=empty_database, connections=1) as scene:
        doubts = 0
        for point in POINTS:
            once = point in ("connected", "after the intent")
            process = scene.start(point, 1 if once else 2 if "commit" in point else 7)
            process.join()
            assert process.exitcode == -signal.SIGKILL, f"it never came to {point!r}"
            survivor = scene.start("connected")  # it recovers, and dies before it sends anything
            survivor.join()
            found = len(scene.verdict().unknown)
            assert found - doubts == (point == IN_DOUBT), f"{found - doubts} unknown after a kill {point!r}"
            doubts = found
        scene.finish()
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert len(verdict.unknown) == 1


@pytest.mark.parametrize("resend", [False, True], ids=["hold", "resend"])
def test_killed_at_random(tmp_path: Path, empty_database: str, resend: bool) -> None:
    """Four connections, two senders at a time, one of them killed again and again; and a server that drops lines."""
    seed = int(os.environ.get("TORTURE_SEED", secrets.randbelow(10**6)))
    dice = random.Random(seed)
    faults = [Fault("dot", TAKE_AND_DROP, times=3, skip=50), Fault("dot", "451 later", times=5, skip=9)]
    folder = tmp_path / "desk"
    with Scene(folder, readers=3000, database_url=empty_database, resend=resend, faults=faults) as scene:
        kills = 0
        for _ in range(8):
            doomed, other = scene.start(retry=True), scene.start()
            time.sleep(dice.uniform(0, 0.5))
            kills += doomed.is_alive()
            doomed.kill()
            doomed.join()
            other.kill() if dice.random() < 0.5 else other.terminate()  # SIGTERM drains
            other.join()
        scene.finish()
        verdict = scene.verdict()
        print(f"seed {seed}, {kills} kills, {'resend' if resend else 'hold'}: {verdict}")
        assert not verdict.phantom, verdict
        assert not verdict.lost, verdict
        assert len(verdict.unknown) <= 3 + 2 * kills * scene.connections
        if not resend:
            assert not verdict.twice, verdict


def test_a_sender_that_was_stopped_for_a_while_sends_nothing_twice(tmp_path: Path, empty_database: str) -> None:
    """SIGSTOP, a second sender sends everything but the stopped one's windows, SIGCONT."""
    with Scene(tmp_path / "desk", readers=3000, database_url=empty_database) as scene:
        stopped = scene.start()
        while sum(scene.server.taken.values()) < 100:
            time.sleep(0.01)
        assert stopped.pid is not None
        os.kill(stopped.pid, signal.SIGSTOP)
        second = scene.start()
        before = -1
        while before != (now := sum(scene.server.taken.values())):  # all that is left is in the stopped one's hands
            before = now
            time.sleep(1)
        assert scene.readers - 4 * MOST <= now < scene.readers, "a stopped process is no corpse"
        os.kill(stopped.pid, signal.SIGCONT)
        stopped.join()
        second.join()
        assert (stopped.exitcode, second.exitcode) == (0, 0)
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert not verdict.unknown
