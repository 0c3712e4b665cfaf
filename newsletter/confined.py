"""Work on what strangers sent, where it can do no harm: in child processes with limits on time and memory.

Children are few, started when first needed, and serve one job after another. They are not forked (the process that
asks has threads) and hold no secrets: their environment is empty. They end when their standard input does, so that
none outlives its parent. What goes between them is bytes with a length before them, never pickle.
"""

from __future__ import annotations

import os
import queue
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

__all__ = ["Confinement", "OutlastedError"]

# A child that has grown stays so: the memory of Python's objects is rarely given back. The next job gets a new one.
_GROWN = 30 * 2**20
_LENGTH = struct.Struct(">I")
# What an answer begins with: whether the child takes another job after it.
_MORE, _LAST = b"+", b"."


class OutlastedError(Exception):
    """The child was ended before it answered; the text says why, as the end of a sentence."""


class Confinement:
    """Children that answer with `answer(head: bytes, data: bytes) -> bytes` of one module.

    `seconds` is how long one answer may take by the clock and `computing` how long by the processor's own, which a
    busy machine does not shorten; `memory` is how many bytes of address space a child may take beyond what it has when
    it is ready. The module may have `prepare()`, called once in each child.
    """

    def __init__(
        self, module: str, *, seconds: float, memory: int, computing: float | None = None, children: int = 2
    ) -> None:
        self.seconds = seconds
        self.memory = memory
        self.computing = computing or seconds
        self.children = [_Child(module, memory, self.computing) for _ in range(children)]
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        for child in self.children:
            self._idle.put(child)
        weakref.finalize(self, _end_all, self.children)

    def ask(self, head: bytes, data: bytes | bytearray) -> bytes:
        """What a child answers; raises `OutlastedError` when it takes more than it may."""
        child = self._idle.get()
        try:
            return child.ask(head, data, self.seconds)
        except TimeoutError:
            raise OutlastedError(f"takes over {self.seconds:.0f} s") from None
        except EOFError:
            limits = f"{self.memory // 2**20} MiB of memory or {self.computing:g} s of computing"
            raise OutlastedError(f"needs over {limits}, or ends its process") from None
        finally:
            self._idle.put(child)

    def end(self) -> None:
        """End every child; the next job starts one anew."""
        _end_all(self.children)


def _end_all(children: list[_Child]) -> None:
    for child in children:
        child.end()


class _Child:
    """One child process, started when first asked and again after it was ended."""

    def __init__(self, module: str, memory: int, computing: float) -> None:
        self._command = [sys.executable, "-I", "-m", __name__, module, str(memory), str(computing)]
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, head: bytes, data: bytes | bytearray, seconds: float) -> bytes:
        """Its answer; raises `TimeoutError`, or `EOFError` when it ended itself."""
        process = self.started()
        assert process.stdin is not None
        assert process.stdout is not None
        deadline = time.monotonic() + seconds
        # It reads while we write: a thread of its own, since neither pipe holds ten megabytes.
        writer = threading.Thread(target=_write, args=(process.stdin, head, data), daemon=True)
        writer.start()
        try:
            answer = _read(process.stdout, deadline)
            if answer[:1] == _LAST:
                self.end()
            return answer[1:]
        finally:
            if sys.exc_info()[0] is not None:
                self.end()
            writer.join()

    def end(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    assert pipe is not None
                    pipe.close()

    def started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.process.poll() is not None:
            self.end()
        if self.process is None:
            self.process = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs us
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},  # one arena: others reserve 64 MiB each
                cwd="/",
            )
            _read(cast("IO[bytes]", self.process.stdout), time.monotonic() + 60)  # it is ready
        return self.process


def _write(pipe: IO[bytes], head: bytes, data: bytes | bytearray) -> None:
    with suppress(OSError, ValueError):  # it was ended meanwhile
        pipe.write(_LENGTH.pack(len(head)) + head + _LENGTH.pack(len(data)))
        pipe.write(data)
        pipe.flush()


def _read(pipe: IO[bytes], deadline: float) -> bytes:
    """One message; raises `TimeoutError` or `EOFError`."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size, deadline))
    return _exactly(pipe, length, deadline)


def _exactly(pipe: IO[bytes], length: int, deadline: float) -> bytes:
    found = bytearray()
    while len(found) < length:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        piece = os.read(pipe.fileno(), min(length - len(found), 1 << 20))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)


# --- the child ---------------------------------------------------------------------------------------------

LONGEST = 60
"""Seconds after which a child ends itself, should its parent be gone and unable to end it."""


def _serve(name: str, memory: int, computing: float) -> None:
    """Answer jobs from standard input until it ends."""
    module = import_module(name)
    getattr(module, "prepare", lambda: None)()
    answer_of = cast("Callable[[bytes, bytes], bytes]", module.answer)
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    ready = _status("VmSize")
    _, most = resource.getrlimit(resource.RLIMIT_AS)  # a limit that the machine set before us can only be lowered
    wanted = ready + memory
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    at_start = _status("VmRSS")
    _answer(sink, b"")
    while True:
        try:
            head, data = _taken(source), _taken(source)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        signal.setitimer(signal.ITIMER_PROF, computing)
        try:
            answer = answer_of(head, data)
        except MemoryError:
            os._exit(1)  # what is left of the heap is not to be trusted with an answer
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        grown = _status("VmRSS") > at_start + _GROWN
        _answer(sink, (_LAST if grown else _MORE) + answer)
        if grown:
            return


def _taken(source: IO[bytes]) -> bytes:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data = source.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _answer(sink: Any, answer: bytes) -> None:
    sink.write(_LENGTH.pack(len(answer)) + answer)
    sink.flush()


def _status(key: str) -> int:
    """Bytes of this process's memory, as the kernel counts it."""
    with Path("/proc/self/status").open(encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
