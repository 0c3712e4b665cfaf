"""Whom a mail server refuses while it is spoken to is told to programs as bounced: the person, and not the message."""

from __future__ import annotations

from pathlib import Path

from newsletter.newsroom.dispatch import sending
from newsletter.storage import EventKind
from tests.deliver.fault_server import Fault

from .scene import Scene


def test_a_refused_reader_is_an_event_and_a_refused_message_is_none(tmp_path: Path) -> None:
    faults = [
        Fault("RCPT", "550 5.1.1 no such user", to="r3@example.com"),
        Fault("RCPT", "552 5.2.2 over quota", to="r5@example.com"),
        Fault("RCPT", "550 5.7.1 not wanted", to="r4@example.com"),
        Fault("RCPT", "451 4.2.0 later", to="r6@example.com", times=1),
    ]
    with Scene(tmp_path / "desk", readers=9, faults=faults) as scene, scene.room() as room:
        now = room.clock.now()
        hook = room.webhooks.make("x", "https://x.example", "s", tuple(EventKind), with_address=False, who="x", now=now)
        sending.send(room, scene.issue)
        told = {
            room.subscribers.get(each.happening.subscriber).email: each.happening.data
            for each in room.webhooks.told(hook.id, 20)
            if each.happening.kind is EventKind.BOUNCED and each.happening.subscriber
        }
        assert {email: (data["class"], data["status"]) for email, data in told.items()} == {
            "r3@example.com": ("address", "5.1.1"),
            "r5@example.com": ("mailbox", "5.2.2"),
        }
        assert told["r3@example.com"]["issue"] == str(scene.issue)
        assert told["r3@example.com"]["then"] == "noted"
        assert room.subscribers.show("r3@example.com")["status"] == "active"
