"""Deliveries that nobody can know the fate of, and the person who settles them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import NothingToDoError
from newsletter.model import DeliveryState, IssueState
from newsletter.newsroom.dispatch import outcomes, sending
from tests.deliver.fault_server import DROP, TAKE_AND_DROP, Fault

from .scene import Scene

LOST, ARRIVED = "r3@example.com", "r7@example.com"


def test_a_person_settles_what_no_machine_can_know(tmp_path: Path) -> None:
    faults = [Fault("dot", DROP, to=LOST), Fault("dot", TAKE_AND_DROP, to=ARRIVED)]
    with Scene(tmp_path / "desk", readers=20, faults=faults) as scene:

        def command(*words: str) -> subprocess.CompletedProcess[str]:
            whole = [sys.executable, "-m", "newsletter", "issue", *words]
            return subprocess.run(whole, cwd=scene.folder, env=dict(scene.environ), capture_output=True, text=True)

        assert command("send", str(scene.issue)).returncode == 5
        named = command("recipients", str(scene.issue), "--state", "unknown", "--json").stdout
        assert set(re.findall(r'"email": "(.*)"', named)) == {LOST, ARRIVED}
        assert "final dot" in named

        settled = command("resolve", str(scene.issue), "--unknown", "submitted", "--address", "R7@Example.com")
        assert settled.stdout == "1 unknown: taken for submitted; 1 unknown left\n"
        again = command("resolve", str(scene.issue), "--unknown", "resend", "--by", "ed@example.com")
        assert again.stdout == f"1 unknown: queued again; `newsletter issue send {scene.issue}` sends them\n"
        assert command("resolve", str(scene.issue), "--unknown", "resend").returncode == 4
        with scene.room() as room:
            assert room.issues.get(scene.issue).state is IssueState.SENDING
            history = [(step.who, step.why) for step in room.issues.history(scene.issue)]
            assert ("ed@example.com", "1 unknown sent again, 0 left") in history

        assert command("send", str(scene.issue)).returncode == 0
        verdict = scene.verdict()
        assert verdict.kept, verdict
        assert verdict.submitted == 20
        assert scene.server.taken[LOST] == scene.server.taken[ARRIVED] == 1


def test_of_an_address_that_is_not_in_doubt_nothing_is_settled(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=3, faults=[Fault("dot", DROP, to=LOST)]) as scene, scene.room() as room:
        with pytest.raises(NothingToDoError, match=r"no delivery of .* is unknown"):
            outcomes.resolve(room, scene.issue, resend=True, email=None, who="ed")
        sending.send(room, scene.issue)
        with pytest.raises(NothingToDoError, match=r"to r1@example\.com is unknown; 0 of the issue are"):
            outcomes.resolve(room, scene.issue, resend=True, email="r1@example.com", who="ed")
        assert room.deliveries.counts(scene.issue) == {DeliveryState.SUBMITTED: 3}
