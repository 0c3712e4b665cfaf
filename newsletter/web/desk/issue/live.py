"""How far a send is, as it goes on: counts, rate and how long it still takes, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from newsletter.model import UNSETTLED, Issue, IssueState
from newsletter.web.asking import Ask
from newsletter.web.words import length_words

__all__ = ["issue_live", "progress_of"]

_EVERY, _LASTS = 1.0, 25.0
"""Seconds between two events, and until the browser asks anew: so no stop of the server waits long for one."""


def issue_live(ask: Ask) -> Response:
    """An event a second; the last one says that it is over."""
    issue = ask.room.issues.get(ask.issue_id)
    return StreamingResponse(_events(ask, issue), media_type="text/event-stream")


async def _events(ask: Ask, issue: Issue) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    began, before = time.monotonic(), await run_in_threadpool(_look, ask, issue)
    while time.monotonic() - began < _LASTS:
        await asyncio.sleep(_EVERY)
        now = await run_in_threadpool(_look, ask, issue)
        rate = max(0.0, (now[1]["done"] - before[1]["done"]) / max(now[0] - before[0], 1e-3))
        before = now if now[0] - before[0] > 5 * _EVERY else before
        state, counts = now[2], now[1]
        told = {"done": counts["done"], "texts": _texts(counts, rate), "over": state is not IssueState.SENDING}
        yield f"data: {json.dumps(told)}\n\n"
        if told["over"]:
            return


def progress_of(counts: Mapping[str, int]) -> dict[str, int]:
    """What a screen shows of the counts by state: all, those settled, and what became of them."""
    total = sum(counts.values())
    left = sum(counts.get(state, 0) for state in UNSETTLED)
    return {"total": total, "done": total - left, "left": left, **{str(state): n for state, n in counts.items()}}


def _look(ask: Ask, issue: Issue) -> tuple[float, dict[str, int], IssueState]:
    counts = progress_of(ask.room.deliveries.counts(issue.id))
    return time.monotonic(), counts, ask.room.issues.get(issue.id).state


def _texts(counts: Mapping[str, int], rate: float) -> dict[str, str]:
    left = counts["left"]
    ends = f"about {length_words(timedelta(seconds=left / rate))} left" if rate > 0 and left else ""
    return {
        "submitted": f"{counts.get('submitted', 0):,}",
        "left": f"{left:,}",
        "deferred": f"{counts.get('deferred', 0):,}",
        "unknown": f"{counts.get('unknown', 0):,}",
        "rejected": f"{counts.get('rejected', 0):,}",
        "rate": f"{rate:,.0f} a second" if rate else "—",
        "ends": ends,
    }
