"""Parsing where it can do no harm: in a child process with limits on time and memory.

A feed of 10 MiB just inside the limits of `screening.py` took a parser 27 s and 2 GB. Here it takes a child that is
killed, and an error; neither the other sources nor the process that asked notice more.

Children are few, started when first needed, and serve one job after another. They are not forked (the process that
asks has threads) and hold no secrets: their environment is empty. They end when their standard input does, so that
none outlives its parent. What goes between them is JSON with a length before it.
"""

from __future__ import annotations

import atexit
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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from pydantic import TypeAdapter

from newsletter.errors import NewsletterError, SourceError
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["Parse", "parse_confined"]

SECONDS = 10.0
"""How long one parse may take, by the clock."""

MEMORY = 140 * 2**20
"""How much address space a child may take beyond what it has when it is ready."""

CHILDREN = 2

# A child that has grown stays so: the memory of Python's objects is rarely given back. The next job gets a new one.
_GROWN = 30 * 2**20

Parsed = tuple[list[Story], list[Refusal]]
Parse = Callable[..., Parsed]
"""`parse(data: bytes, plan, now, *, address: str, content_type: str | None) -> (stories, refusals)`, pure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    module: str
    plan: SourcePlan
    now: datetime
    address: str
    content_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    stories: list[Story] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    error: str | None = None


_JOB, _RESULT = TypeAdapter(_Job), TypeAdapter(_Result)
_LENGTH = struct.Struct(">I")
# What an answer begins with: whether the child takes another job after it.
_MORE, _LAST = b"+", b"."


def parse_confined(
    module: str, data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> Parsed:
    """What `parse` of that module makes of the bytes; raises `SourceError` when it fails or outlasts its limits."""
    job = _Job(module=module, plan=plan, now=now, address=address, content_type=content_type)
    child = _idle.get()
    try:
        answer = child.ask(_JOB.dump_json(job), data)
    except _OutlastedError as error:
        where = f"source {plan.id}: {address or 'the saved feed'}"
        raise SourceError(f"{where} {error}; it was not read. Ask its owner for a shorter one") from None
    finally:
        _idle.put(child)
    result = _RESULT.validate_json(answer)
    if result.error is not None:
        raise SourceError(result.error)
    return result.stories, result.refused


class _OutlastedError(Exception):
    """The child was ended before it answered; the text says why, as the end of a sentence."""


class _Child:
    """One child process, started when first asked and again after it was ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, job: bytes, data: bytes) -> bytes:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        deadline = time.monotonic() + SECONDS
        # It reads while we write: a thread of its own, since neither pipe holds ten megabytes.
        writer = threading.Thread(target=_write, args=(process.stdin, job, data), daemon=True)
        writer.start()
        try:
            answer = _read(process.stdout, deadline)
            if answer[:1] == _LAST:
                self.end()
            return answer[1:]
        except TimeoutError:
            raise _OutlastedError(f"takes over {SECONDS:.0f} s to be parsed") from None
        except EOFError:
            raise _OutlastedError(
                f"needs over {MEMORY // 2**20} MiB of memory to be parsed, or breaks the parser"
            ) from None
        finally:
            if sys.exc_info()[0] is not None:
                self.end()
            writer.join()

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    assert pipe is not None
                    pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.end()
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs us
                [sys.executable, "-I", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},  # one arena: others reserve 64 MiB each
                cwd="/",
            )
            _read(cast("IO[bytes]", self._process.stdout), time.monotonic() + 60)  # it is ready
        return self._process


def _write(pipe: IO[bytes], job: bytes, data: bytes) -> None:
    with suppress(OSError, ValueError):  # it was ended meanwhile
        pipe.write(_LENGTH.pack(len(job)) + job + _LENGTH.pack(len(data)))
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


_idle: queue.LifoQueue[_Child] = queue.LifoQueue()
_children = [_Child() for _ in range(CHILDREN)]
for _each in _children:
    _idle.put(_each)


@atexit.register
def _end_all() -> None:
    for child in _children:
        child.end()


# --- the child ---------------------------------------------------------------------------------------------


def _serve() -> None:
    """Answer jobs from standard input until it ends."""
    for name in ("feed", "ghost", "jsonfeed", "ninjs", "wordpress"):
        import_module(f"newsletter.gather.{name}")
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    ready = _status("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (ready + MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    at_start = _status("VmRSS")
    _answer(sink, b"")
    while True:
        try:
            job = _JOB.validate_json(_taken(source))
            data = _taken(source)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, SECONDS * 2)  # should the parent be gone and unable to end us
        answer = _parsed(job, data)
        signal.setitimer(signal.ITIMER_REAL, 0)
        grown = _status("VmRSS") > at_start + _GROWN
        _answer(sink, (_LAST if grown else _MORE) + answer)
        if grown:
            return


def _parsed(job: _Job, data: bytes) -> bytes:
    try:
        parse = cast("Parse", import_module(job.module).parse)
        stories, refused = parse(data, job.plan, job.now, address=job.address, content_type=job.content_type)
        return _RESULT.dump_json(_Result(stories=stories, refused=refused))
    except NewsletterError as error:
        return _RESULT.dump_json(_Result(error=str(error)))
    except MemoryError:
        os._exit(1)  # what is left of the heap is not to be trusted with an answer


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
    _serve()
