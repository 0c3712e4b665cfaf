"""The corridor on one screen: gather → compose → render → deliver.

Each step takes what the step before it made. Who may take the next step, and when, is the newsroom's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter import compose, deliver, gather, render
from newsletter.clock import Clock
from newsletter.errors import TransportError
from newsletter.model import (
    DeliveryState,
    Edition,
    IssueId,
    Message,
    Outcome,
    Recipient,
    Refusal,
    RenderedEdition,
    Snapshot,
    Story,
)
from newsletter.plan import Newsletter, Plan
from newsletter.ports import Ledger, Source, Transport
from newsletter.storage import Contents, Ingested, SourceStates, Stories

__all__ = [
    "Gathered",
    "Window",
    "compose_issue",
    "deliver_issue",
    "gather_source",
    "render_editions",
    "send_once",
    "window_of",
]

STORING = timedelta(minutes=1)
"""How long storing may take: what was being stored when the last issue's window ended is seen by the next one."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one poll of a source brought in."""

    source: str
    ingested: Ingested
    refused: tuple[Refusal, ...] = ()
    unchanged: bool = False
    switched_off: str | None = None


def gather_source(source: Source, plan: Plan, states: SourceStates, stories: Stories, clock: Clock) -> Gathered:
    """Bring in what a source has: stored first, then the source is told; raises `SourceError`."""
    asked = plan.sources[source.id].url if source.id in plan.sources else None
    fetched = source.fetch(states.get(source.id, asked), clock.now())
    # Available from now, not from when we asked: a draft that was built meanwhile did not see it.
    ingested = stories.ingest((gather.settle_country(story, plan) for story in fetched.stories), clock.now())
    fetched.settle()
    states.put(source.id, replace(fetched.state, asked=asked))
    return Gathered(source.id, ingested, tuple(fetched.refused), fetched.unchanged, fetched.state.switched_off)


@dataclass(frozen=True, slots=True)
class Window:
    """What an issue may be composed of: the `candidates` became available since the newsletter's last sealed issue.

    `carried` was told by issues of the last month, `moment` is when this one is read at the earliest, and `priority`
    (by source id) and `apart` say which of several copies is which. Of a digest, `standings` say what is best.
    """

    candidates: Sequence[Story]
    carried: Sequence[Story]
    moment: datetime
    priority: Mapping[str, int]
    apart: compose.Apart
    standings: compose.Standings | None = None

    def fitting(self, newsletter: Newsletter, issue_id: IssueId) -> list[Story]:
        """Those that the issue may tell, freshest first, each once."""
        return compose.fitting(
            newsletter,
            issue_id.date,
            self.candidates,
            self.moment,
            priority=self.priority,
            carried=self.carried,
            apart=self.apart,
            standings=self.standings,
        )


def window_of(
    newsletter: Newsletter,
    issue_id: IssueId,
    *,
    stories: Stories,
    contents: Contents,
    priority: Mapping[str, int],
    apart: Callable[[Iterable[Story]], compose.Apart],
    now: datetime,
    due_at: datetime,
) -> Window:
    """The window of an issue; a story whose embargo ends before the issue is due may stand in it.

    A digest's holds also what the newsletters it is the best of have carried since its own last issue.
    """
    moment = max(now, due_at)
    names = (newsletter.name, *newsletter.not_again_from)
    last = contents.last_window_end(newsletter.name, issue_id)
    told = contents.told(newsletter.stories.best_of, last or due_at - newsletter.stories.at_most, due_at)
    again = {placed.story.id for snapshot in told for placed in snapshot.placed}
    candidates = stories.window(
        available_after=last - STORING if last else None,
        or_named=again,
        available_until=moment,
        published_after=due_at - newsletter.stories.at_most,
        # An issue made up for a day gone by does not know what came after it.
        published_until=due_at if now.astimezone(newsletter.timezone).date() > issue_id.date else moment,
        not_carried_by=names,
        issue_id=issue_id,
    )
    carried = stories.find(contents.carried(names, issue_id))
    standings = _standings(told, candidates, stories) if newsletter.stories.best_of else None
    return Window(candidates, list(carried.values()), moment, priority, apart(candidates), standings)


def _standings(told: Sequence[Snapshot], candidates: Sequence[Story], stories: Stories) -> compose.Standings:
    """What the desk made of the candidates, by the copies as they are known now."""
    ids = {placed.story.id for snapshot in told for placed in snapshot.placed}
    ids.update(story_id for snapshot in told for story_id in snapshot.dropped)
    roots = {story_id: compose.root(story) for story_id, story in stories.find(ids).items()}
    sources = stories.count_sources({story.cluster for story in candidates if story.cluster})
    return compose.standings_of(told, lambda story_id: roots.get(story_id, story_id), sources)


def compose_issue(newsletter: Newsletter, issue_id: IssueId, window: Window, relate: compose.Relate) -> Snapshot:
    """What the issue says, from the stories of its window."""
    return compose.compose(
        newsletter,
        issue_id.date,
        window.candidates,
        window.moment,
        relate=relate,
        priority=window.priority,
        carried=window.carried,
        apart=window.apart,
        standings=window.standings,
    )


def render_editions(
    templates: render.Templates, snapshot: Snapshot, editions: Iterable[Edition], base_url: str
) -> list[RenderedEdition]:
    """Each edition of the issue as it will be mailed, in that order; the template is compiled once."""
    return render.render_editions(templates.compile(snapshot.template), snapshot, editions, base_url)


def deliver_issue(
    ledger: Ledger,
    transport: Transport,
    make_message: Callable[[Recipient], Message],
    clock: Clock,
    *,
    pace: deliver.Pace | None = None,
    spread: deliver.Pace | None = None,
    lines: Callable[[], AbstractContextManager[deliver.Share | None]] = nullcontext,
    threads: int = 0,
    wait: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Mapping[str, int]], None] | None = None,
) -> None:
    """Carry what is queued in the ledger until nothing is queued or in flight; see `deliver.send`."""
    sending = deliver.send(
        ledger,
        transport,
        make_message,
        clock,
        pace=pace,
        spread=spread,
        lines=lines,
        threads=threads,
        wait=wait,
        stop=stop,
        progress=progress,
    )
    asyncio.run(sending)


def send_once(
    transport: Transport,
    messages: Sequence[Message],
    *,
    seconds: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """Carry a few messages that no ledger keeps (proofs); what was not settled comes back as failed.

    With none it only connects and logs in. Raises `TransportError`, also when all that takes more than `seconds`, or
    when `stop` says so before a server has answered.
    """

    settled: dict[int, Outcome] = {}

    async def carry() -> None:
        async with asyncio.timeout(seconds):
            connection = await deliver.Drain(stop).race(transport.connect())
            try:
                await connection.carry(messages, lambda outcome: settled.update({outcome.delivery: outcome}))
            finally:
                await connection.close()

    try:
        asyncio.run(carry())
    except TimeoutError:
        if not settled:
            raise TransportError(f"{transport.name} did not answer within {seconds:g} s; is it well?") from None
    missing = "the mail server did not take it"
    return [
        settled.get(each.delivery) or Outcome(each.delivery, DeliveryState.FAILED, None, missing) for each in messages
    ]
