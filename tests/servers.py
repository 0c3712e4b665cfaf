"""Servers that tests start on loopback: a port for each, waiting until it answers, web servers, Postfix's smtp-sink."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["Answering", "free_port", "listening", "running_sink", "serving", "wait_until"]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether somebody listens on that port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for a condition; fails when it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.05)


class Answering(BaseHTTPRequestHandler):
    """What a web server of a test answers; nothing of it is printed."""

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # a client that hangs up early is what several tests are about


@contextmanager
def serving(answering: type[Answering]) -> Iterator[int]:
    """A web server for as long as the block lasts; gives its port."""
    with _Server(("127.0.0.1", 0), answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running_sink(program: str) -> Iterator[tuple[int, Path]]:
    """A running smtp-sink: its port, and the folder in which it keeps one file a message."""
    # Started by root it runs as nobody, who must be able to reach and write the folder: pytest's own are closed to him.
    folder = Path(tempfile.mkdtemp(prefix="smtp-sink-"))
    folder.chmod(0o777)
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    words = [program, *user, "-d", f"{folder}/m.", f"127.0.0.1:{port}", "100"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: listening(port))
            yield port, folder
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)
