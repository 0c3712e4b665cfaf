"""The alarm bell is rung inside too, with the password in its address, and is not waited for any longer than it may."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.newsroom import Newsroom
from newsletter.newsroom.people import bell

from .hook_server import Listener, listening


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


def test_an_alert_is_taken_or_it_is_said_why_and_never_where(tmp_path: Path, listener: Listener) -> None:
    url = f"http://desk:s%20cret@127.0.0.1:{listener.port}/alerts"
    with Newsroom.open(tmp_path, environ={"NEWSLETTER_ALERT_URL": url}) as room:
        assert bell.ring(room, "stopped", None, "Something is wrong.") is None
        listener.answers = [500]
        assert bell.ring(room, "stopped", None, "") == "NEWSLETTER_ALERT_URL did not take the alert: it answered 500"
        listener.answers = [0]
        assert "127.0.0.1" not in str(bell.ring(room, "stopped", None, ""))
    headers, _ = listener.got[0]
    assert headers["authorization"] == f"Basic {base64.b64encode(b'desk:s cret').decode()}"
    assert listener.told[0].items() >= {"kind": "stopped", "issue": "", "text": "Something is wrong."}.items()


def test_a_bell_that_hangs_is_left(tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_PATIENCE", 0.3)
    listener.hang = True
    with Newsroom.open(tmp_path, environ={"NEWSLETTER_ALERT_URL": listener.url}) as room:
        began = time.monotonic()
        assert "did not answer" in str(bell.ring(room, "stopped", None, ""))
    assert time.monotonic() - began < 2
