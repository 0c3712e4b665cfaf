"""The web process: starts on any free port, stops from another thread or by a signal."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

import httpx
import pytest

from newsletter.errors import SettingError
from newsletter.newsroom import Newsroom
from newsletter.web import WebServer


def test_a_server_answers_until_it_is_stopped(review: Newsroom, capfd: pytest.CaptureFixture[str]) -> None:
    server = WebServer(review, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        answer = httpx.get(f"http://127.0.0.1:{server.port}/livez", trust_env=False)
        assert (answer.status_code, answer.text) == (200, "alive\n")
        assert "server" not in answer.headers
    finally:
        server.stop()
        thread.join(10)
    assert not thread.is_alive()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0
    assert capfd.readouterr() == ("", "")


def test_an_answer_never_waits_for_the_clients_delayed_acknowledgement(review: Newsroom) -> None:
    """A connection that stays open used to wait 40 ms with each answer, from the second on."""
    server = WebServer(review, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    spent = []
    for _ in range(25):
        before = time.perf_counter()
        line.request("GET", "/livez")
        line.getresponse().read()
        spent.append(time.perf_counter() - before)
    line.close()
    server.stop()
    thread.join()
    assert statistics.median(spent[5:]) < 0.035


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_and_its_handler_comes_back(review: Newsroom, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    timer.start()
    WebServer(review, "127.0.0.1", 0).run()
    timer.join()
    assert signal.getsignal(number) is before


def test_a_port_that_is_taken_is_said_at_once(review: Newsroom) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"127.0.0.1:{port} cannot be listened on.*--port"):
            WebServer(review, "127.0.0.1", port)


def test_the_room_opens_without_loading_anything_heavy() -> None:
    heavy = {"starlette", "jinja2", "sqlalchemy", "uvicorn"}
    code = f"import sys, newsletter.web; print(sorted({heavy!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
