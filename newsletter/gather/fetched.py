"""Sources on the web: asked with what we remember of them, answered with one page or several."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from newsletter.errors import SourceError
from newsletter.gather.confined import parse_confined
from newsletter.gather.fetching import Answer, check_address, fetch
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

__all__ = ["JSON", "MOST_PAGES", "OnePage", "fetch_pages", "required", "site"]

MOST_PAGES = 10
"""Of one poll; what is older waits for the next one."""

# What two of the site's machines changed within a moment may not become visible in the order of its times.
OVERLAP = timedelta(minutes=2)

# WordPress leaves the time of a change alone when it publishes what was written before and scheduled.
SCHEDULED = timedelta(days=1)

_CURSOR = re.compile(r"(\S+Z)(?:, page (\d+), begun (\S+Z))?")

JSON = "application/feed+json, application/json;q=0.9, */*;q=0.5"


class OnePage:
    """A source that is one document on the web, polled with ETag and Last-Modified.

    A kind of source that is one says what it `accept`s, and has `parse` in the module that it stands in.
    """

    accept: ClassVar[str | None] = None

    def __init__(self, plan: SourcePlan, desk: Path, key: str | None = None) -> None:
        check_address(plan)
        self.id = plan.id
        self._plan = plan

    def fetch(self, state: SourceState, now: datetime) -> Fetched:
        """Poll once. 304 is `unchanged`; 410 switches the source off; what is something else is a `SourceError`."""
        return _fetch_once(type(self).__module__, self._plan, state, now, self.accept)


def _fetch_once(module: str, plan: SourcePlan, state: SourceState, now: datetime, accept: str | None) -> Fetched:
    answer = fetch(plan, state, now, accept=accept)
    polled = replace(state, polled_at=now, failures=0, last_error=None, not_before=None, switched_off=None)
    if answer.gone:
        return Fetched(state=replace(polled, switched_off=_gone(answer, plan)))
    if answer.unchanged:
        return Fetched(state=polled, unchanged=True)
    stories, refused = parse_confined(
        module, answer.body, plan, now, address=answer.address, content_type=answer.content_type
    )
    polled = replace(polled, etag=answer.etag, last_modified=answer.last_modified)
    return Fetched(state=polled, stories=stories, refused=refused)


def fetch_pages(
    module: str,
    plan: SourcePlan,
    state: SourceState,
    now: datetime,
    address: Callable[[str | None, int], str],
    a_page: int,
    *,
    published_since: Callable[[str], str] | None = None,
) -> Fetched:
    """Poll a CMS that is asked for what changed since its `cursor`, page by page, earliest change first.

    `address(since, page)` is where a page is: `since` is an ISO instant in UTC, None for the first poll, which takes
    the latest page only. A page that holds fewer than `a_page` entries is the last, unless the answer says how many
    there are. The cursor moves to the instant of this poll once every page has been read; where more
    changed than one poll may read, the next one goes on with the page that this one ended with. Several pages are
    read twice: what is edited meanwhile moves to the end, and what stood behind it up, past our reading.

    `published_since(since)` is where a CMS tells what became public, if that is no change to it.
    """
    cursor = _Cursor.read(state.cursor, now)
    stories: dict[str, Story] = {}
    refused: dict[str, Refusal] = {}
    polled = replace(state, polled_at=now, failures=0, last_error=None, not_before=None, switched_off=None)

    def read(where: str, page: int) -> tuple[Answer, int]:
        answer = fetch(plan, SourceState(), now, address=where, accept=JSON)
        if answer.gone:
            raise _GoneError(_gone(answer, plan))
        found, faults = parse_confined(
            module, answer.body, plan, now, address=answer.address, content_type=answer.content_type
        )
        stories.update({story.external_id: story for story in found})
        refused.update({fault.reason: Refusal(f"page {page}, {fault.where}", fault.reason) for fault in faults})
        return answer, len(found) + len(faults)

    try:
        if cursor.since and published_since:
            read(published_since(_written(cursor.since - SCHEDULED)), 1)
        page, read_twice = cursor.page, False
        while True:
            answer, entries = read(address(cursor.stated, page), page)
            short = entries < a_page
            last = cursor.since is None or (short if answer.total_pages is None else page >= answer.total_pages)
            if last and page > cursor.page and not read_twice:
                page, read_twice = cursor.page, True
            elif last or page - cursor.page + 1 >= MOST_PAGES:
                mark = str(_Cursor(cursor.began) if last else replace(cursor, page=page))
                break
            else:
                page += 1
    except _GoneError as gone:
        return Fetched(state=replace(polled, switched_off=str(gone)))
    return Fetched(state=replace(polled, cursor=mark), stories=list(stories.values()), refused=list(refused.values()))


class _GoneError(Exception):
    """The address answered 410; the text says so."""


@dataclass(frozen=True, slots=True)
class _Cursor:
    """How far a CMS has been read: all changes up to `since`; of those after it, the pages before `page`, in a reading
    that began at `began`."""

    since: datetime | None
    page: int = 1
    began: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @classmethod
    def read(cls, text: str | None, now: datetime) -> _Cursor:
        match = _CURSOR.fullmatch(text or "")
        if match is None:
            return cls(None, 1, now)
        since, page, began = match.groups()
        return cls(datetime.fromisoformat(since), int(page or 1), datetime.fromisoformat(began) if began else now)

    @property
    def stated(self) -> str | None:
        """The instant to ask from."""
        return _written(self.since - OVERLAP) if self.since else None

    def __str__(self) -> str:
        assert self.since is not None
        begun = f", page {self.page}, begun {_written(self.began)}" if self.page > 1 else ""
        return _written(self.since) + begun


def _written(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _gone(answer: Answer, plan: SourcePlan) -> str:
    return f"{answer.address} answered 410, gone for good; remove source {plan.id} or give its new url"


def site(plan: SourcePlan, path: str) -> str:
    """The address of `path` on the site whose address, or API's address, is the source's url."""
    base = (plan.url or "").split("?")[0].rstrip("/")
    head = path.split("/")[1]
    return (base.partition(f"/{head}/")[0] if f"/{head}/" in f"{base}/" else base) + path


def required(key: str | None, plan: SourcePlan, what: str) -> str:
    """The source's key; raises `SourceError` that says what it is for."""
    if not key:
        raise SourceError(
            f"source {plan.id}: a {plan.kind} needs {what}; put it where `key:` leads, env:NAME or file:PATH"
        )
    return key
