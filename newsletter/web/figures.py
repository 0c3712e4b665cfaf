"""Figures that cost a walk over the audience or a rendering, kept for a moment: screens ask at each click."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, TypeVar, overload

from newsletter.errors import NewsletterError
from newsletter.model import Finding, Issue, IssueId, Severity
from newsletter.newsroom import Newsroom
from newsletter.newsroom.dispatch.counting import Counted, count_issue, count_newsletter
from newsletter.newsroom.dispatch.day_after import handed_by_country, refusals_said
from newsletter.newsroom.issue import editing, preflight, previews
from newsletter.newsroom.issue.editing import Tray
from newsletter.newsroom.issue.previews import Reach
from newsletter.newsroom.readership.growth import Grown, growth
from newsletter.plan import Newsletter
from newsletter.storage import Refusals

__all__ = ["Checked", "Figures"]

KEPT_SECONDS, GLANCE_SECONDS = 20.0, 300.0
MOST_KEPT = 500

MOMENT = 0.04
"""Seconds that a list waits for figures that cost a walk over a million rows; then it takes old ones, or none."""

_OF_DRAFTS = frozenset({"checked", "tray"})

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the preflight found, or why it could not run."""

    findings: Sequence[Finding] = ()
    trouble: str = ""

    @property
    def blocking(self) -> int:
        """How many findings stand in the way of an approval."""
        return sum(finding.severity is Severity.BLOCKING for finding in self.findings)

    @property
    def grouped(self) -> list[tuple[Finding, list[str]]]:
        """The findings, each told once with all the places it was found at, in words of the screen."""
        places: dict[Finding, list[str]] = {}
        for finding in self.findings:
            places.setdefault(replace(finding, place=""), []).append(finding.place.replace("edition ", "version "))
        return list(places.items())


class Figures:
    """Counts and checks of issues, at most 20 seconds old, or at a glance five minutes.

    An approval never relies on them: it checks again.
    """

    def __init__(self, room: Newsroom, seconds: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._seconds = seconds
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._old: dict[Hashable, Any] = {}
        self._asked: dict[Hashable, Future[Any]] = {}
        self._lock = threading.RLock()  # what is done at once is kept at once
        # One walk after the other: lists must not keep everybody else from the database.
        self._walker = ThreadPoolExecutor(1, thread_name_prefix="figures")

    def stories(self, issue: Issue) -> int:
        """How many stories the present draft holds."""
        return self._room.contents.story_counts([issue.id]).get(issue.id, 0)

    def readers(self, issue: Issue) -> int:
        """How many get it: the frozen audience, before that the present one."""
        if issue.frozen_at is not None:
            return sum(self._room.deliveries.counts(issue.id).values())
        return sum(reach.readers for reach in self.reaches(issue))

    def readers_of(self, issues: Sequence[Issue]) -> Mapping[IssueId, int | None]:
        """The same of many, for a list; None for those whose audience is still being counted."""
        frozen = self._room.deliveries.totals([each.id for each in issues if each.frozen_at is not None])
        drafts = [each for each in issues if each.frozen_at is None and each.revision]
        walks = [self._reaching(each) for each in drafts]
        keys = [key for key, _ in walks]
        reached = self._known(dict(walks))
        readers: dict[IssueId, int | None] = {each.id: frozen.get(each.id, 0) for each in issues}
        for key, each in zip(keys, drafts, strict=True):
            found = reached[key]
            readers[each.id] = None if found is None else sum(reach.readers for reach in found)
        return readers

    def reaches(self, issue: Issue) -> Sequence[Reach]:
        """The editions that the present audience needs, most read first; none before there is a draft."""
        if not issue.revision:
            return ()
        key, ask = self._reaching(issue)
        found = self._known({key: ask})[key]
        return found if found is not None else self._remember(key, ask)

    def audience(self, issue: Issue) -> Counted | None:
        """Who would get the draft by country, and who not and why; None while that is counted for the first time."""
        key = ("audience", *self._hangs_on(issue))
        return self._known({key: lambda: self._counted_of(lambda: count_issue(self._room, issue))})[key]

    def audience_of(self, newsletter: Newsletter) -> Counted | None:
        """The same of a newsletter, whose issue would have stories of all its countries."""
        key = ("audience", newsletter.name, str(newsletter.segment))
        return self._known({key: lambda: self._counted_of(lambda: count_newsletter(self._room, newsletter))})[key]

    @overload
    def checked(self, issue: Issue, *, glance: bool = False) -> Checked: ...
    @overload
    def checked(self, issue: Issue, *, known: bool) -> Checked | None: ...
    def checked(self, issue: Issue, *, glance: bool = False, known: bool = False) -> Checked | None:
        """The preflight of the present draft; for a `glance` at many, as it was a few minutes ago, and None where only
        what is `known` is asked for."""
        key, kept = ("checked", issue.id, issue.revision), GLANCE_SECONDS if glance else KEPT_SECONDS
        if known:
            return self._present(key, kept)
        return self._remember(key, lambda: self._check(issue), kept)

    def tray(self, issue: Issue) -> Tray:
        """What the present draft could tell and does not."""
        return self._remember(("tray", issue.id, issue.revision), lambda: editing.tray(self._room, issue))

    def subscriptions(self, names: Sequence[str]) -> Mapping[str, Mapping[Any, int]] | None:
        """How many subscriptions of each status each newsletter has; None while they are counted for the first time."""
        key = ("subscriptions", *names)
        return self._known({key: lambda: {n: dict(self._room.subscribers.count(n)) for n in names}})[key]

    def lasting(self, key: Hashable, ask: Callable[[], _Value]) -> _Value:
        """What does not change while its key is the same, such as the view of sealed bytes."""
        return self._remember(key, ask, math.inf)

    def handed_by_country(self, issue: Issue) -> Mapping[str, int]:
        """How many got stories of each country, as it was a few minutes ago: a walk over the whole audience."""
        key = ("handed", issue.id, issue.state, issue.settled_at)
        return self._remember(key, lambda: handed_by_country(self._room, issue.id), GLANCE_SECONDS)

    def refusals_said(self, day: date) -> Sequence[Refusals]:
        """What mail servers said to what was given up, as it was a few minutes ago."""
        return self._remember(("refusals", day), lambda: refusals_said(self._room, day), GLANCE_SECONDS)

    def growth(self, days: Sequence[date], newsletter: str | None) -> Sequence[Grown]:
        """How many readers came and went on each of these days, as it was a few minutes ago."""
        key = ("growth", days[0], days[-1], newsletter)
        return self._remember(key, lambda: growth(self._room, days, newsletter), GLANCE_SECONDS)

    def forget(self) -> None:
        """Ask anew from now on, because something was changed."""
        with self._lock:
            self._kept.clear()
            self._asked.clear()  # what is being counted may not have seen it

    def forget_checks(self) -> None:
        """Check drafts anew from now on, because one of their stories was changed; who gets them is as before."""
        with self._lock:
            for key in [key for key in self._kept if isinstance(key, tuple) and key[0] in _OF_DRAFTS]:
                del self._kept[key]

    def _reaching(self, issue: Issue) -> tuple[Hashable, Callable[[], Sequence[Reach]]]:
        return ("reaches", *self._hangs_on(issue)), partial(self._editions, issue)

    def _hangs_on(self, issue: Issue) -> tuple[Hashable, ...]:
        """What a walk over an issue's audience hangs on, where that is known: most edits of a draft change none of
        it."""
        said = issue.snapshot
        return (issue.id, issue.state, *((said.countries, said.languages) if said else (issue.revision,)))

    def _counted_of(self, count: Callable[[], Counted]) -> Counted | None:
        try:
            return count()
        except NewsletterError:  # the newsletter is gone from schedule.yaml, or the send has begun meanwhile
            return None

    def _editions(self, issue: Issue) -> Sequence[Reach]:
        try:
            return previews.editions(self._room, issue if issue.snapshot else self._room.issues.get(issue.id))
        except NewsletterError:  # the newsletter is no longer in schedule.yaml, or the file cannot be read
            return ()

    def _check(self, issue: Issue) -> Checked:
        try:
            needed = [reach.edition for reach in self.reaches(issue)] or None
            return Checked(preflight.check(self._room, issue.id, needed))
        except NewsletterError as error:
            return Checked(trouble=str(error))

    def _known(self, wanted: Mapping[Hashable, Callable[[], _Value]]) -> dict[Hashable, _Value | None]:
        """Each value if a moment is enough to find it out, else the one that was known before, or None; it is found
        out behind the scenes then, for whoever asks next."""
        now, known, asked = self._seconds(), dict[Hashable, _Value | None](), dict[Hashable, Future[_Value]]()
        begun = False
        for key, ask in wanted.items():
            with self._lock:
                at, value = self._kept.get(key, (now - GLANCE_SECONDS, None))
                known[key] = value if now - at < KEPT_SECONDS else self._old.get(key)
                if now - at >= KEPT_SECONDS:
                    begun |= key not in self._asked
                    asked[key] = self._asked.get(key) or self._begin(key, ask)
        # What somebody waited for in vain already takes longer than a moment.
        done, _ = wait(asked.values(), MOMENT if begun else 0)
        return known | {key: future.result() for key, future in asked.items() if future in done}

    def _begin(self, key: Hashable, ask: Callable[[], _Value]) -> Future[_Value]:
        future = self._asked[key] = self._walker.submit(ask)
        future.add_done_callback(partial(self._counted, key, self._seconds()))
        return future

    def _counted(self, key: Hashable, at: float, future: Future[Any]) -> None:
        with self._lock:
            mine = self._asked.get(key) is future
            if mine:
                del self._asked[key]
            if not future.cancelled() and future.exception() is None:
                self._keep(key, at if mine else at - GLANCE_SECONDS, future.result())

    def _present(self, key: Hashable, seconds: float) -> Any | None:
        """What was found out no longer ago than that."""
        with self._lock:
            at, value = self._kept.get(key, (-math.inf, None))
        return value if self._seconds() - at < seconds else None

    def _remember(self, key: Hashable, ask: Callable[[], _Value], seconds: float = KEPT_SECONDS) -> _Value:
        now, kept = self._seconds(), self._present(key, seconds)
        if kept is not None:
            found: _Value = kept
            return found
        fresh = ask()
        with self._lock:
            self._keep(key, now, fresh)
        return fresh

    def _keep(self, key: Hashable, at: float, value: Any) -> None:
        for held in (self._kept, self._old):
            if len(held) >= MOST_KEPT:
                held.clear()
        self._kept[key] = (at, value)
        self._old[key] = value
