"""RSS, Atom and RDF feeds: parsing is pure over bytes, the source fetches them.

feedparser reads the XML; what it changes on the way (guids made absolute, dates guessed, whole articles as
summaries) is read from the text instead. The traps are those of real feeds; each has a fixture in the tests.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser

from newsletter.errors import SourceError
from newsletter.gather.cleaning import TITLE_LIMIT, clean_text, visible
from newsletter.gather.dates import Dated, read_date
from newsletter.gather.encoding import declares_entities, decode_feed, root_element
from newsletter.gather.fetching import check_address, fetch
from newsletter.gather.filing import file_under, is_language
from newsletter.gather.identity import external_id_of
from newsletter.gather.links import absolute_link, canonical_url
from newsletter.gather.screening import excess
from newsletter.gather.summaries import summarise
from newsletter.gather.tags import sort_tags
from newsletter.model import Precision, Refusal, Story, SummaryOrigin
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

__all__ = ["FeedSource", "parse_feed"]

_NAME_LIMIT = 120
_DATE_KEYS = ("published", "updated", "created")
# PC Magazine (2018) nests an empty item in every real one; feedparser would close the real one with it.
_EMPTY_ITEM = re.compile(r"<item\s*/>|<item>\s*</item>")
_ADDRESS = re.compile(r"[^\s@()<>]+@[^\s@()<>]+")


class FeedSource:
    """A feed on the web, polled with ETag and Last-Modified."""

    def __init__(self, plan: SourcePlan, desk: Path, key: str | None = None) -> None:
        check_address(plan)
        self.id = plan.id
        self._plan = plan

    def fetch(self, state: SourceState, now: datetime) -> Fetched:
        """Poll once. 304 is `unchanged`; 410 switches the source off; all else that is no feed is a `SourceError`."""
        answer = fetch(self._plan, state, now)
        polled = replace(state, polled_at=now, failures=0, switched_off=None)
        if answer.gone:
            gone = f"{answer.address} answered 410, gone for good; remove source {self.id} or give its new url"
            return Fetched(state=replace(polled, switched_off=gone))
        if answer.unchanged:
            return Fetched(state=polled, unchanged=True)
        stories, refused = parse_feed(
            answer.body, self._plan, now, address=answer.address, content_type=answer.content_type
        )
        polled = replace(polled, etag=answer.etag, last_modified=answer.last_modified)
        return Fetched(state=polled, stories=stories, refused=refused)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all entries of one feed share."""

    plan: SourcePlan
    now: datetime
    base: str
    outlet: str
    language: str | None


def parse_feed(
    data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> tuple[list[Story], list[Refusal]]:
    """The stories of a feed in its order, and the entries that cannot be one.

    `address` is where the feed was retrieved from: relative links are resolved against it. An identity that
    comes twice in one feed is taken once, the first. Raises `SourceError` saying what came instead of a feed.
    """
    text = decode_feed(data, content_type)
    where = f"source {plan.id}: {address or 'the saved feed'}"
    _refuse_what_is_no_feed(text, where)
    try:
        parsed = feedparser.parse(
            io.BytesIO(_EMPTY_ITEM.sub("", text).encode()),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,  # every field goes through nh3
        )
    except Exception as error:  # feedparser names no set of exceptions, and mutated feeds raise many
        raise SourceError(f"{where} cannot be parsed ({type(error).__name__}); look at it in a browser") from error
    if not parsed.version and not parsed.entries:
        raise SourceError(f"{where} is an XML document <{root_element(text)}>, not a feed; correct its url")
    frame = _frame(parsed.feed, plan, now, address)
    stories: dict[str, Story] = {}
    refused: list[Refusal] = []
    for position, entry in enumerate(parsed.entries, start=1):
        story = _story(entry, frame)
        if isinstance(story, str):
            refused.append(Refusal(f"entry {position}", story))
        else:
            stories.setdefault(story.external_id, story)
    return list(stories.values()), refused


def _refuse_what_is_no_feed(text: str, where: str) -> None:
    if declares_entities(text):
        raise SourceError(f"{where} declares entities or a DTD of its own, which a feed does not need; it was not read")
    if too_much := excess(text):
        raise SourceError(f"{where} holds {too_much}, more than any newspaper's feed; it was not read")
    root = root_element(text)
    if root and root.rpartition(":")[2] not in ("html", "head", "body"):
        return
    got = "an HTML page" if root else "JSON" if text[:1] in ("{", "[") else "text" if text else "an empty answer"
    raise SourceError(f"{where} is {got}, not a feed; correct its url or its kind in schedule.yaml")


def _frame(feed: dict[str, Any], plan: SourcePlan, now: datetime, address: str) -> _Frame:
    links = dict.get(feed, "links") or ()
    own = next((link.get("href", "") for link in links if link.get("rel") == "self"), "")
    base = address or absolute_link(own) or ""
    outlet = plan.outlet or clean_text(_get(feed, "title"), _NAME_LIMIT) or urlsplit(base).hostname or plan.id
    stated = _get(feed, "language").strip()
    language = plan.language or (stated if is_language(stated) else None)
    return _Frame(plan, now, base, outlet, language)


def _story(entry: dict[str, Any], frame: _Frame) -> Story | str:
    """The story of one entry, or the reason why it cannot be one."""
    title = clean_text(_get(entry, "title"), TITLE_LIMIT)
    url = _link(entry, frame.base)
    if not title:
        return f"it has no title ({url or 'and no link'})"
    if url is None:
        return f"it has no http(s) link that can be shown ({title!r})"
    plan = frame.plan
    tags = sort_tags(tag.get("term") or tag.get("label") or "" for tag in dict.get(entry, "tags") or ())
    country, country_origin = file_under(tags, plan)
    guid = visible(_get(entry, "id")) or None
    canonical = canonical_url(url)
    published_at, precision = _published(entry) or (frame.now, Precision.FETCHED)
    summary, summary_origin = _summary(entry, title, plan)
    return Story(
        source=plan.id,
        external_id=external_id_of(plan.id, tags.machine, None, guid, canonical),
        guid=guid,
        url=url,
        url_canonical=canonical,
        title=title,
        outlet=frame.outlet,
        outlet_language=plan.language,
        published_at=published_at,
        published_precision=precision,
        summary=summary,
        summary_origin=summary_origin,
        byline=_byline(entry) or tags.byline,
        country=country,
        country_origin=country_origin,
        section=plan.section or "",
        tags=tags.visible,
        machine_tags=tags.machine,
        language=frame.language,
        gathered_at=frame.now,
    )


def _link(entry: dict[str, Any], base: str) -> str | None:
    """The entry's link; a guid stands in for it only where it is an address itself."""
    written, guid = _get(entry, "link"), _get(entry, "id")
    return absolute_link(written, "" if written == guid else base) or absolute_link(guid)


def _published(entry: dict[str, Any]) -> Dated | None:
    """The first date that can be read; feedparser's own reading loses some and guesses others."""
    return next((dated for key in _DATE_KEYS if (dated := read_date(_get(entry, key)))), None)


def _byline(entry: dict[str, Any]) -> tuple[str, ...]:
    """The names of the authors: neither addresses nor what an encoding fault left of a name ("??? ?????")."""
    written = [author.get("name") or "" for author in dict.get(entry, "authors") or ()]
    if len(written) < 2:
        # The field as it stands: feedparser loses half of an address whose top-level domain is long.
        written = [_get(entry, "author")]
    names = (_without_address(clean_text(name, _NAME_LIMIT)) for name in written)
    return tuple(dict.fromkeys(name for name in names if re.search(r"[^\W\d_]", name) and "://" not in name))


def _without_address(name: str) -> str:
    """`Chris Lui` from `lui@wire.example (Chris Lui)` (RSS 2.0) or `Chris Lui (lui@wire.example)`."""
    bare = _ADDRESS.sub("", name)
    return name if bare == name else bare.replace("()", "").replace("<>", "").strip(" ()<>,")


def _summary(entry: dict[str, Any], title: str, plan: SourcePlan) -> tuple[str, SummaryOrigin]:
    full = max((part.get("value") or "" for part in dict.get(entry, "content") or ()), key=len, default="")
    written = _get(entry, "summary")
    # Without a description feedparser offers the full text as the summary.
    return summarise(title, "" if full and written == full else written, full, plan)


def _get(values: dict[str, Any], key: str) -> str:
    """The text of a field as the feed has it; feedparser's own look-up would answer "updated" with "published"."""
    value = dict.get(values, key)
    return value if isinstance(value, str) else ""
