"""What one sender process does, and the points at which it can be told to die by its own hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from newsletter.deliver import chain, line, smtp
from newsletter.errors import NothingToDoError
from newsletter.model import IssueId
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch import sending
from newsletter.storage import IssueLedger

__all__ = ["POINTS", "run_sender"]

CONTENT = 1000
"""A write of more bytes than this holds a message, and not an envelope alone."""


def run_sender(
    desk: str,
    issue: str,
    environ: Mapping[str, str],
    ready: Event,
    point: str = "",
    count: int = 1,
    retry: bool = False,
) -> None:
    """Send the issue as `issue send` does; at the `count`-th time it comes to `point`, kill -9 itself."""
    if point:
        POINTS[point](_Trigger(count))
    with Newsroom.open(Path(desk), environ=dict(environ)) as room:
        _ = room.plan, room.database
        ready.set()
        with suppress(NothingToDoError):  # another sender was the last
            sending.send(room, IssueId.parse(issue), retry_now=retry, resume=retry)


class _Trigger:
    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _around(
    owner: type, name: str, before: Callable[..., bool] | None, after: Callable[..., bool] | None, trigger: _Trigger
) -> None:
    """Call `trigger` before or after a method wherever that says so of its arguments (and its result)."""
    whole = getattr(owner, name)

    def around(self: Any, *args: Any, **kwargs: Any) -> Any:
        if before is not None and before(self, *args, **kwargs):
            trigger()
        result = whole(self, *args, **kwargs)
        if after is not None and after(result, self, *args, **kwargs):
            trigger()
        return result

    setattr(owner, name, around)


def _heard(step: str) -> Callable[[_Trigger], None]:
    """Right after the answer to a command was taken in."""

    def arm(trigger: _Trigger) -> None:
        whole = chain.Chain.heard

        def heard(self: Any, reply: Any) -> None:
            due = self._awaited[0].name if self._awaited else ""
            if step == "DATA" and due == step:
                trigger()  # before the answer does anything: what it leads to is a point of its own
            whole(self, reply)
            if due == step != "DATA":
                trigger()

        chain.Chain.heard = heard  # type: ignore[method-assign]

    return arm


def _connected(trigger: _Trigger) -> None:
    whole = smtp.SmtpTransport.connect

    async def connect(self: Any) -> Any:
        connection = await whole(self)
        trigger()
        return connection

    smtp.SmtpTransport.connect = connect  # type: ignore[method-assign]


def _turn(before: Callable[..., bool] | None, after: Callable[..., bool] | None) -> Callable[[_Trigger], None]:
    return lambda trigger: _around(IssueLedger, "turn", before, after, trigger)


def _carries(*_: Any, carried: Any = None, **__: Any) -> bool:
    return carried is not None


POINTS: Mapping[str, Callable[[_Trigger], None]] = {
    "after the intent": _turn(None, lambda window, *_, **__: window is not None),
    "connected": _connected,
    "after MAIL": _heard("MAIL"),
    "after RCPT": _heard("RCPT"),
    "after 354": _heard("DATA"),
    "before the write with the dot": lambda trigger: _around(IssueLedger, "leaving", lambda *_: True, None, trigger),
    "after the write with the dot": lambda trigger: _around(
        line.Line, "write", None, lambda _, __, data: len(data) > CONTENT, trigger
    ),
    "after the answer": lambda trigger: _around(IssueLedger, "answered", None, lambda *_: True, trigger),
    "before the outcome's commit": _turn(_carries, None),
    "after the outcome's commit": _turn(None, _carries),
}
"""The ten points of a message's way, in their order; each arms a kill there."""
