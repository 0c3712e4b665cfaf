"""Servers that tests start on loopback: a port for each, waiting until it answers, and Postfix's smtp-sink."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["free_port", "listening", "running_sink", "wait_until"]


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
