"""Servers that refuse all, hang up, or leave everything in doubt: the send ends, and says why."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from newsletter.errors import NothingToDoError, NotLiveError, RefusingError, SettingError, TransportError
from newsletter.model import DeliveryState, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import outcomes, sending
from tests.deliver import fault_server
from tests.deliver.fault_server import TAKE_AND_DROP, Fault

from .scene import Scene
from .test_stopping import stopped_in_mid_send


@pytest.mark.parametrize(
    ("url", "error"),
    [("smtp://mail.example.com:25", NotLiveError), ("smtp://127.0.0.1:25?conections=3", SettingError)],
    ids=["not live", "a slip in the settings"],
)
def test_a_send_that_is_refused_leaves_a_stopped_issue_stopped(
    tmp_path: Path, url: str, error: type[Exception]
) -> None:
    with Scene(tmp_path / "desk", readers=1500, delay=0.002) as scene:
        stopped_in_mid_send(scene)
        wrong = dict(scene.environ) | {"NEWSLETTER_SMTP_URL": url}
        with Newsroom.open(scene.folder, environ=wrong) as room:
            with pytest.raises(error):
                sending.send(room, scene.issue, resume=True, who="ed")
            assert room.issues.get(scene.issue).state is IssueState.STOPPED


@pytest.mark.parametrize("connections", [1, 4])
def test_a_server_that_refuses_and_hangs_up_trips_the_breaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    whole = fault_server._Conversation.say

    async def say(self: fault_server._Conversation, verb: str, reply: str, recipient: str = "") -> None:
        if verb == "RCPT":
            await self.write("550 5.7.1 client host [203.5.1.2] is blocked")
            await asyncio.sleep(0.01)
            raise fault_server.HangUpError
        await whole(self, verb, reply, recipient)

    monkeypatch.setattr(fault_server._Conversation, "say", say)
    with Scene(tmp_path / "desk", readers=400, connections=connections) as scene, scene.room() as room:
        for _ in range(5):  # as the sender's loop does: what was refused before counts
            try:
                sending.send(room, scene.issue)
            except RefusingError:
                break
            except TransportError:
                continue
        assert room.issues.get(scene.issue).state is IssueState.STOPPED
        assert room.deliveries.counts(scene.issue)[DeliveryState.REJECTED] <= 100 + 50 * connections


def test_a_server_that_takes_messages_and_never_says_so_cannot_leave_a_whole_issue_in_doubt(tmp_path: Path) -> None:
    fault = Fault("dot", TAKE_AND_DROP, times=10**6)
    with Scene(tmp_path / "desk", readers=300, connections=4, faults=[fault]) as scene, scene.room() as room:
        for _ in range(30):
            try:
                sending.send(room, scene.issue)
            except RefusingError:
                break
            except TransportError:
                continue
        books = room.issues.books(scene.issue)
        assert (books.state, books.balanced) == (IssueState.STOPPED, True)
        assert books.doubts < 100


def test_whoever_is_queued_again_while_a_send_waits_is_looked_at_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from newsletter.deliver.smtp import SmtpTransport

    faults = [
        Fault("RCPT", "550 5.1.1 no such user", to="r3@example.com"),
        Fault("RCPT", "451 4.2.0 later", to="r4@example.com", times=2),
    ]
    with Scene(tmp_path / "desk", readers=5, faults=faults) as scene:
        with scene.room() as room:
            sending.send(room, scene.issue)
        monkeypatch.setattr(SmtpTransport, "leaves_machine", True, raising=False)
        begin = SmtpTransport.__init__

        def far(self: SmtpTransport, *given: object, **named: object) -> None:
            begin(self, *given, **named)  # type: ignore[arg-type]
            self.leaves_machine = True

        monkeypatch.setattr(SmtpTransport, "__init__", far)
        allowed = dict(scene.environ) | {"NEWSLETTER_TEST_ALLOW": "r4@example.com"}
        with Newsroom.open(scene.folder, environ=allowed) as room:
            until = time.monotonic() + 4
            waiting = threading.Thread(
                target=lambda: sending.send(
                    room, scene.issue, wait=True, retry_now=True, stop=lambda: time.monotonic() > until
                )
            )
            waiting.start()
            time.sleep(1)
            with Newsroom.open(scene.folder, environ=allowed) as other:
                outcomes.retry(other, scene.issue, state=DeliveryState.REJECTED, email=None, who="ed")
                other.sends.retry_now(scene.issue)
            waiting.join()
            rows = {row.email: row for row in room.deliveries.rows(scene.issue)}
        assert not scene.server.taken["r3@example.com"]
        assert rows["r3@example.com"].state in (DeliveryState.FAILED, DeliveryState.QUEUED)


def test_an_issue_that_is_stopped_in_its_last_window_is_settled(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=40, delay=0.02, connections=1) as scene:
        sender = scene.start()
        while scene.server.taken.total() < 5:
            time.sleep(0.02)
        with scene.room() as room:
            outcomes.stop(room, scene.issue, who="ed")
        sender.join(60)
        with scene.room() as room:
            assert room.issues.books(scene.issue).state is IssueState.SUBMITTED


def test_a_waiting_send_ends_when_the_issue_is_stopped(tmp_path: Path) -> None:
    fault = Fault("dot", "451 4.2.0 later", times=1)
    with Scene(tmp_path / "desk", readers=5, faults=[fault]) as scene, scene.room() as room:
        sender = scene.start()
        sender.join(30)

        def send() -> None:
            with suppress(NothingToDoError):  # on a slow machine it begins when the issue is stopped already
                sending.send(room, scene.issue, wait=True)

        waiting = threading.Thread(target=send)
        waiting.start()
        time.sleep(0.5)
        with scene.room() as other:
            outcomes.stop(other, scene.issue, who="ed")
        waiting.join(40)
        assert not waiting.is_alive()


def test_a_drain_does_not_wait_for_a_server_that_says_nothing(tmp_path: Path) -> None:
    with Scene(tmp_path / "desk", readers=5, faults=[Fault("greeting", "silence")]) as scene, scene.room() as room:
        began = time.monotonic()
        with pytest.raises(TransportError):
            sending.send(room, scene.issue, stop=lambda: time.monotonic() > began + 1)
        assert time.monotonic() - began < 20
