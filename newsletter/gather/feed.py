"""RSS, Atom and RDF feeds: parsing is pure over bytes, the source fetches them.

feedparser reads the XML; what it changes on the way (guids made absolute, dates guessed, whole articles as
summaries) is read from the text instead. The traps are those of real feeds; each has a fixture in the tests.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import feedparser

from newsletter.errors import SourceError
from newsletter.gather.encoding import declares_entities, decode_feed, root_element
from newsletter.gather.entries import Entry, Frame, image_of, stories_of
from newsletter.gather.fetched import OnePage
from newsletter.gather.links import absolute_link
from newsletter.gather.screening import excess
from newsletter.gather.tags import sort_tags
from newsletter.model import Image, Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["FeedSource", "parse"]

_DATE_KEYS = ("published", "updated", "created")
# PC Magazine (2018) nests an empty item in every real one; feedparser would close the real one with it.
_EMPTY_ITEM = re.compile(r"<item\s*/>|<item>\s*</item>")
_ADDRESS = re.compile(r"[^\s@()<>]+@[^\s@()<>]+")


class FeedSource(OnePage):
    """A feed on the web."""


def parse(
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
    except MemoryError:
        raise
    except Exception as error:  # feedparser names no set of exceptions, and mutated feeds raise many
        raise SourceError(f"{where} cannot be parsed ({type(error).__name__}); look at it in a browser") from error
    if not parsed.version and not parsed.entries:
        raise SourceError(f"{where} is an XML document <{root_element(text)}>, not a feed; correct its url")
    frame = _frame(parsed.feed, plan, now, address)
    return stories_of((_entry(entry, frame.base) for entry in parsed.entries), frame)


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


def _frame(feed: dict[str, Any], plan: SourcePlan, now: datetime, address: str) -> Frame:
    links = dict.get(feed, "links") or ()
    own = next((link.get("href", "") for link in links if link.get("rel") == "self"), "")
    return Frame(
        plan=plan,
        now=now,
        base=address or absolute_link(own) or "",
        title=_get(feed, "title"),
        language=_get(feed, "language"),
        rights=_get(feed, "rights"),
        home=_get(feed, "link"),
    )


def _entry(entry: dict[str, Any], base: str) -> Entry:
    full = max((part.get("value") or "" for part in dict.get(entry, "content") or ()), key=len, default="")
    written = _get(entry, "summary")
    return Entry(
        title=_get(entry, "title"),
        url=_link(entry, base),
        guid=_get(entry, "id"),
        # feedparser's own reading of dates loses some and guesses others.
        dates=tuple(_get(entry, key) for key in _DATE_KEYS),
        byline=tuple(_byline(entry)),
        tags=sort_tags(tag.get("term") or tag.get("label") or "" for tag in dict.get(entry, "tags") or ()),
        # Without a description feedparser offers the full text as the summary.
        summary="" if full and written == full else written,
        full=full,
        image=_image(entry, base),
        rights=_get(entry, "rights"),
    )


def _link(entry: dict[str, Any], base: str) -> str | None:
    """The entry's link; a guid stands in for it only where it is an address itself."""
    written, guid = _get(entry, "link"), _get(entry, "id")
    return absolute_link(written, "" if written == guid else base) or absolute_link(guid)


def _byline(entry: dict[str, Any]) -> Iterator[str]:
    written = [author.get("name") or "" for author in dict.get(entry, "authors") or ()]
    if len(written) < 2:
        # The field as it stands: feedparser loses half of an address whose top-level domain is long.
        written = [_get(entry, "author")]
    yield from map(_without_address, written)


def _without_address(name: str) -> str:
    """`Chris Lui` from `lui@wire.example (Chris Lui)` (RSS 2.0) or `Chris Lui (lui@wire.example)`."""
    bare = _ADDRESS.sub("", name)
    return name if bare == name else bare.replace("()", "").replace("<>", "").strip(" ()<>,")


def _image(entry: dict[str, Any], base: str) -> Image | None:
    """The first picture of Media RSS, or an enclosure that is one."""
    credit = next((_get(each, "content") for each in dict.get(entry, "media_credit") or ()), "")
    media = [*(dict.get(entry, "media_content") or ()), *(dict.get(entry, "media_thumbnail") or ())]
    enclosures = [link for link in dict.get(entry, "links") or () if link.get("rel") == "enclosure"]
    for each in (*media, *enclosures):
        kind = _get(each, "type") or _get(each, "medium") or "image"
        if kind.startswith("image") and (found := image_of(_get(each, "url") or _get(each, "href"), base, "", credit)):
            return found
    return None


def _get(values: dict[str, Any], key: str) -> str:
    """The text of a field as the feed has it; feedparser's own look-up would answer "updated" with "published"."""
    value = dict.get(values, key)
    return value if isinstance(value, str) else ""
