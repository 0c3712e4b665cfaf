"""JSON Feed 1.0 and 1.1 (jsonfeed.org): its own small format, which feed readers for XML know nothing of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from newsletter.errors import SourceError
from newsletter.gather.entries import Entry, Frame, image_of, stories_of
from newsletter.gather.fetched import JSON, OnePage
from newsletter.gather.json_answers import Fields, array, fields, load, text
from newsletter.gather.links import absolute_link
from newsletter.gather.tags import sort_tags
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["JsonFeedSource", "parse"]


class JsonFeedSource(OnePage):
    """A JSON Feed on the web."""

    accept = JSON


def parse(
    data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> tuple[list[Story], list[Refusal]]:
    """The stories of a JSON Feed in its order, and the items that cannot be one; raises `SourceError`."""
    where = f"source {plan.id}: {address or 'the saved feed'}"
    feed = fields(load(data, content_type, where, "a JSON Feed"))
    if not isinstance(feed.get("items"), list):
        raise SourceError(f"{where} is JSON without items, not a JSON Feed; correct its url or its kind")
    base = address or text(feed.get("feed_url"))
    frame = Frame(plan=plan, now=now, base=base, title=text(feed.get("title")), language=text(feed.get("language")))
    return stories_of((_entry(fields(item), feed, base) for item in feed["items"]), frame)


def _entry(item: Fields, feed: Fields, base: str) -> Entry:
    guid = text(item.get("id"))
    full = text(item.get("content_html")) or text(item.get("content_text"))
    return Entry(
        title=text(item.get("title")),
        url=absolute_link(text(item.get("url")), base)
        or absolute_link(text(item.get("external_url")), base)
        or absolute_link(guid),
        guid=guid,
        dates=(text(item.get("date_published")), text(item.get("date_modified"))),
        byline=tuple(_authors(item)) or tuple(_authors(feed)),
        tags=sort_tags(text(tag) for tag in array(item.get("tags"))),
        summary=text(item.get("summary")),
        full=full,
        image=image_of(text(item.get("image")) or text(item.get("banner_image")), base),
        language=text(item.get("language")),
    )


def _authors(holder: Fields) -> Iterator[str]:
    """`authors` of version 1.1, or the one `author` of 1.0."""
    written = array(holder.get("authors")) or (holder.get("author"),)
    yield from (name for author in written if (name := text(fields(author).get("name"))))
