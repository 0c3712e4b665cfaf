"""Sends that stand still where a test wants to look at them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsletter.deliver import conversing, outbox, sender
from newsletter.model import IssueId, IssueState
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending


def begin(room: Newsroom, issue_id: IssueId) -> None:
    """Freeze the audience and send nothing yet; in a thread, for the browser's driver holds this one's event loop."""
    with ThreadPoolExecutor(1) as apart:
        frozen = apart.submit(
            sending.send, room, issue_id, stop=lambda: room.issues.get(issue_id).frozen_at is not None
        )
        frozen.result(60)
    assert room.issues.get(issue_id).state is IssueState.SENDING


def send_some(room: Newsroom, issue_id: IssueId, number: int) -> None:
    """Send so many messages of a send that has begun."""
    folder, write = room.outbox / issue_id.newsletter / issue_id.day, outbox.replace_file

    def slow(path: Path, data: bytes, *, mode: int) -> None:
        write(path, data, mode=mode)
        time.sleep(0.1)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as apart:
        patch.setattr(conversing, "_FIRST", number)
        patch.setattr(sender, "windows_in", lambda *_: 1)
        patch.setattr(outbox, "replace_file", slow)  # so that the stop is seen before its first window is over
        apart.submit(sending.send, room, issue_id, stop=lambda: any(folder.glob("*.eml"))).result(60)
    assert room.issues.books(issue_id).deliveries["submitted"] == number
