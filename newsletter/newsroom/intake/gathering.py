"""Stories in: polling sources, importing files, what is pushed."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from newsletter import gather
from newsletter.errors import InputError, NewsletterError, NotFoundError, SourceError, StorageError
from newsletter.model import Refusal
from newsletter.newsroom.room import Newsroom
from newsletter.pipeline import Gathered, gather_source
from newsletter.plan import SourcePlan
from newsletter.ports import SourceState
from newsletter.storage import Ingested

__all__ = [
    "Polled",
    "due_sources",
    "gather_all",
    "ghost_webhook",
    "import_file",
    "next_poll",
    "polled_sources",
    "push",
    "source_plan",
]

log = logging.getLogger("newsletter.gather")

AT_ONCE = 24
"""Hosts asked at once: most of a poll is waiting, and slow ones must not use up the threads."""

SKEW = timedelta(minutes=1)
"""By how much the clocks of a desk's hosts may differ."""

LONGEST_BACKOFF = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Polled:
    """One source's poll: what it brought, why it brought nothing, or why it was left alone."""

    source: str
    gathered: Gathered | None = None
    error: str | None = None
    left_alone: str | None = None
    seconds: float = 0.0


def polled_sources(room: Newsroom) -> list[SourcePlan]:
    """The sources that are asked for stories, in a rehearsal none; the others push theirs."""
    if room.settings.rehearsal:
        return []
    return [source for source in room.plan.sources.values() if source.kind in gather.source_kinds()]


def gather_all(room: Newsroom, sources: Sequence[SourcePlan], *, insist: bool = False) -> Iterator[Polled]:
    """Poll the sources in parallel and yield each result as it comes; a failing source never stops another.

    One host is asked by one thread, one source after the other, so that a slow host keeps nobody else waiting. A
    source that is switched off, or asked to be left alone until later, is, unless we `insist`.
    """
    now = room.clock.now()
    todo: queue.SimpleQueue[list[SourcePlan]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Polled] = queue.SimpleQueue()
    hosts: dict[str, list[SourcePlan]] = {}
    for source in sources:
        why = None if insist else _why_not(room.source_states.get(source.id, source.url), now)
        if why is not None:
            done.put(Polled(source.id, left_alone=why))
        else:
            hosts.setdefault(_host(source), []).append(source)
    for group in hosts.values():
        todo.put(group)

    def work() -> None:
        while True:
            try:
                group = todo.get_nowait()
            except queue.Empty:
                return
            for source in group:
                done.put(_poll(room, source))

    workers = [threading.Thread(target=work, name=f"gather-{n}", daemon=True) for n in range(min(AT_ONCE, len(hosts)))]
    for worker in workers:
        worker.start()
    for _ in sources:
        yield done.get()
    for worker in workers:
        worker.join()


def due_sources(room: Newsroom, now: datetime) -> list[SourcePlan]:
    """The sources whose turn it is: `every` has passed since their last poll, twice as long for each failure."""
    due = []
    for source in polled_sources(room):
        state = room.source_states.get(source.id, source.url)
        at = next_poll(source, state)
        if state.switched_off is None and (at is None or at <= now or _asked_ahead(state, now)):
            due.append(source)
    return due


def next_poll(source: SourcePlan, state: SourceState) -> datetime | None:
    """When the clock asks the source again; None for one that was never asked, which is now."""
    if state.polled_at is None:
        return state.not_before
    return max(state.polled_at + _pause(source, state), state.not_before or state.polled_at)


def import_file(room: Newsroom, path: Path) -> tuple[Ingested, Sequence[Refusal]]:
    """Store the stories of a file; raises `InputError` when not one of them can be taken."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    now = room.clock.now()
    stories, refused = gather.read_story_file(data, path.name, None, now, room.plan.sources)
    if refused and not stories:
        raise InputError("\n".join(f"{path.name}: {refusal}" for refusal in refused))
    return room.stories.ingest((gather.settle_country(story, room.plan) for story in stories), now), refused


def push(room: Newsroom, source: SourcePlan, data: bytes) -> tuple[Ingested, Sequence[Refusal]]:
    """Store the stories that the source's own system sends, a JSON object or a list; raises `InputError` for neither.

    The key of one source files stories under that source alone.
    """
    now = room.clock.now()
    stories, refused = gather.read_story_file(data, "pushed.json", source, now)
    own = [story for story in stories if story.source == source.id]
    foreign = [
        Refusal(story.id, f"the key is {source.id}'s, and files no stories of another source")
        for story in stories
        if story.source != source.id
    ]
    return room.stories.ingest((gather.settle_country(story, room.plan) for story in own), now), [*refused, *foreign]


def ghost_webhook(
    room: Newsroom, source: SourcePlan, data: bytes, signature: str
) -> tuple[Ingested, Sequence[Refusal]]:
    """Store the post that a webhook of Ghost brings; raises `InputError` when it is not the source's."""
    if source.kind != "ghost" or (key := room.settings.secret(source.webhook_key)) is None:
        raise NotFoundError(f"source {source.id} takes no webhooks; it is a ghost with a webhook_key that does")
    now = room.clock.now()
    stories, refused = gather.read_ghost_webhook(data, signature, source, key, now)
    return room.stories.ingest((gather.settle_country(story, room.plan) for story in stories), now), refused


def source_plan(room: Newsroom, source_id: str) -> SourcePlan:
    """The source of that id in schedule.yaml; raises `NotFoundError`."""
    try:
        return room.plan.sources[source_id]
    except KeyError:
        there = ", ".join(room.plan.sources) or "none"
        raise NotFoundError(f"schedule.yaml has no source {source_id!r}; there are: {there}") from None


def _host(source: SourcePlan) -> str:
    """Whom the source is asked of; a host of our own needs no politeness."""
    host = urlsplit(source.url).hostname if source.url and not source.allow_private else None
    return host or f"source {source.id}"


def _why_not(state: SourceState, now: datetime) -> str | None:
    """Why the source is left alone, None when it may be polled."""
    if state.switched_off is not None:
        return f"switched off: {state.switched_off}"
    if state.not_before is not None and state.not_before > now and not _asked_ahead(state, now):
        return f"it asked not to be polled before {state.not_before:%Y-%m-%d %H:%M:%S} UTC"
    return None


def _asked_ahead(state: SourceState, now: datetime) -> bool:
    """Whether the last poll was at a time that is still to come: our clock was wrong then, and what we reckoned by it
    would leave the source alone for as long."""
    return state.polled_at is not None and state.polled_at > now + SKEW


def _pause(source: SourcePlan, state: SourceState) -> timedelta:
    if not state.failures:
        return source.every
    backoff: timedelta = source.every * 2 ** min(state.failures, 10)
    return max(source.every, min(backoff, LONGEST_BACKOFF))


def _poll(room: Newsroom, plan: SourcePlan) -> Polled:
    now = room.clock.now()
    before = time.monotonic()
    gathered, error = _attempt(room, plan, now)
    return Polled(plan.id, gathered, error, seconds=time.monotonic() - before)


def _attempt(room: Newsroom, plan: SourcePlan, now: datetime) -> tuple[Gathered | None, str | None]:
    try:
        with _turn(room, plan):
            source = gather.open_source(plan, room.desk, room.settings.secret(plan.key))
            return gather_source(source, room.plan, room.source_states, room.stories, room.clock), None
    except SourceError as error:
        return None, _remembered(room, plan, now, str(error), error.retry_at)
    except (NewsletterError, OSError) as error:
        return None, _remembered(room, plan, now, f"{plan.id}: {error}")
    except Exception as error:
        # Whatever it is, the other sources are waiting for this one's result.
        log.exception("polling %s failed", plan.id)
        return None, _remembered(room, plan, now, f"{plan.id}: {type(error).__name__}: {error}")


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


def _remembered(room: Newsroom, plan: SourcePlan, now: datetime, error: str, retry_at: datetime | None = None) -> str:
    """The error, once it stands in the source's state; a database that cannot take it has said so already."""
    with suppress(StorageError):
        state = room.source_states.get(plan.id, plan.url)
        failed = replace(
            state, polled_at=now, failures=state.failures + 1, last_error=error, not_before=retry_at, asked=plan.url
        )
        room.source_states.put(plan.id, failed)
    return error
