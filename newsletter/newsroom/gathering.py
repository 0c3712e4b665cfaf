"""Stories in: polling sources, importing files."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from newsletter import gather
from newsletter.errors import InputError, NewsletterError, NotFoundError, SourceError
from newsletter.model import Refusal
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import Gathered, gather_source
from newsletter.plan import SourcePlan
from newsletter.storage import Ingested

__all__ = ["Polled", "due_sources", "gather_all", "import_file", "source_plan"]

log = logging.getLogger("newsletter.gather")

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Polled:
    """One source's poll: what it brought, or why it brought nothing."""

    source: str
    gathered: Gathered | None = None
    error: str | None = None


def gather_all(room: Newsroom, sources: Sequence[SourcePlan]) -> Iterator[Polled]:
    """Poll the sources in parallel and yield each result as it comes; a failing source never stops another."""
    todo: queue.SimpleQueue[SourcePlan] = queue.SimpleQueue()
    done: queue.SimpleQueue[Polled] = queue.SimpleQueue()
    for source in sources:
        todo.put(source)

    def work() -> None:
        while True:
            try:
                source = todo.get_nowait()
            except queue.Empty:
                return
            done.put(_poll(room, source))

    workers = [
        threading.Thread(target=work, name=f"gather-{n}", daemon=True) for n in range(min(AT_ONCE, len(sources)))
    ]
    for worker in workers:
        worker.start()
    for _ in sources:
        yield done.get()
    for worker in workers:
        worker.join()


def due_sources(room: Newsroom, now: datetime) -> list[SourcePlan]:
    """The sources whose `every` has passed since their last poll."""
    due = []
    for source in room.plan.sources.values():
        state = room.source_states.get(source.id)
        if state.switched_off is None and (state.polled_at is None or state.polled_at + source.every <= now):
            due.append(source)
    return due


def import_file(room: Newsroom, path: Path) -> tuple[Ingested, Sequence[Refusal]]:
    """Store the stories of a file; raises `InputError` when not one of them can be taken."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    now = room.clock.now()
    stories, refused = gather.read_story_file(data, path.name, None, now)
    if refused and not stories:
        raise InputError("\n".join(f"{path.name}: {refusal}" for refusal in refused))
    return room.stories.ingest((gather.settle_country(story, room.plan) for story in stories), now), refused


def source_plan(room: Newsroom, source_id: str) -> SourcePlan:
    """The source of that id in schedule.yaml; raises `NotFoundError`."""
    try:
        return room.plan.sources[source_id]
    except KeyError:
        there = ", ".join(room.plan.sources) or "none"
        raise NotFoundError(f"schedule.yaml has no source {source_id!r}; there are: {there}") from None


def _poll(room: Newsroom, plan: SourcePlan) -> Polled:
    now = room.clock.now()
    try:
        with _turn(room, plan):
            source = gather.open_source(plan, room.desk)
            return Polled(plan.id, gather_source(source, room.plan, room.source_states, room.stories, now))
    except SourceError as error:
        _remember_failure(room, plan, now)
        return Polled(plan.id, error=str(error))
    except (NewsletterError, OSError) as error:
        return Polled(plan.id, error=f"{plan.id}: {error}")
    except Exception as error:
        # Whatever it is, the other sources are waiting for this one's result.
        log.exception("polling %s failed", plan.id)
        return Polled(plan.id, error=f"{plan.id}: {type(error).__name__}: {error}")


@contextmanager
def _turn(room: Newsroom, plan: SourcePlan) -> Iterator[None]:
    """Wait until nobody else polls this source: whoever builds a draft next needs what the other one brings."""
    patience = time.monotonic() + plan.timeout.total_seconds() + 30
    while time.monotonic() < patience:
        with room.database.hold(f"gather {plan.id}") as held:
            if held:
                yield
                return
        time.sleep(0.05)
    raise SourceError(f"{plan.id}: another process has been polling it for too long")


def _remember_failure(room: Newsroom, plan: SourcePlan, now: datetime) -> None:
    state = room.source_states.get(plan.id)
    room.source_states.put(plan.id, replace(state, polled_at=now, failures=state.failures + 1))
