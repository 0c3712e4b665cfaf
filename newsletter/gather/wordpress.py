"""WordPress through its REST API: posts that changed since the last poll, with author, terms and picture embedded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from newsletter.errors import SourceError
from newsletter.gather.entries import Entry, Frame, image_of, stories_of
from newsletter.gather.fetched import fetch_pages, site
from newsletter.gather.fetching import check_address
from newsletter.gather.json_answers import Fields, array, fields, load, text
from newsletter.gather.links import absolute_link
from newsletter.gather.tags import sort_tags
from newsletter.model import Image, Refusal, Story
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

__all__ = ["WordPressSource", "parse"]

_PATH = "/wp-json/wp/v2/posts"
_A_PAGE = 100


class WordPressSource:
    """The posts of a WordPress site; `url` is the site's address, or its API's."""

    def __init__(self, plan: SourcePlan, desk: Path, key: str | None = None) -> None:
        check_address(plan)
        self.id = plan.id
        self._plan = plan

    def fetch(self, state: SourceState, now: datetime) -> Fetched:
        """Ask for what changed since the last poll, or for the latest posts."""
        return fetch_pages(
            __name__, self._plan, state, now, self._address, _A_PAGE, published_since=self._published_since
        )

    def _address(self, since: str | None, page: int) -> str:
        if since is None:
            return self._asking(page, orderby="date", order="desc")
        return self._asking(page, modified_after=since, orderby="modified", order="asc")

    def _published_since(self, since: str) -> str:
        return self._asking(1, after=since, orderby="date", order="desc")

    def _asking(self, page: int, **terms: str) -> str:
        asked = {"per_page": _A_PAGE, "page": page, "_embed": "author,wp:term,wp:featuredmedia", **terms}
        return f"{site(self._plan, _PATH)}?{urlencode(asked)}"


def parse(
    data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> tuple[list[Story], list[Refusal]]:
    """The stories of a list of posts in its order, and the posts that cannot be one; raises `SourceError`."""
    where = f"source {plan.id}: {address or 'the saved posts'}"
    posts = load(data, content_type, where, "a list of WordPress posts")
    if not isinstance(posts, list):
        said = text(fields(posts).get("message"))
        says = f" but says: {said[:200]}" if said else ""
        raise SourceError(f"{where} is no list of WordPress posts{says}; correct its url or its kind")
    frame = Frame(plan=plan, now=now, base=address)
    return stories_of((_entry(fields(post), address) for post in posts), frame)


def _entry(post: Fields, base: str) -> Entry | str:
    embedded = fields(post.get("_embedded"))
    guid = text(post.get("guid"))
    if fields(post.get("content")).get("protected") is True:
        return f"it is behind a password ({text(post.get('title'))!r})"
    return Entry(
        title=text(post.get("title")),
        url=absolute_link(text(post.get("link")), base) or absolute_link(guid),
        id=text(post.get("id")),
        guid=guid,
        dates=tuple(_dates(post)),
        byline=[text(fields(author).get("name")) for author in array(embedded.get("author"))],
        tags=sort_tags(_terms(array(embedded.get("wp:term")))),
        summary=text(post.get("excerpt")),
        full=text(post.get("content")),
        image=_image(embedded, base),
    )


def _dates(post: Fields) -> Iterator[str]:
    """Times in GMT are written without a zone; a time of the site's own, without one, says the day at least."""
    for key in ("date_gmt", "modified_gmt"):
        if written := text(post.get(key)):
            yield written if written.endswith("Z") else f"{written}Z"
    yield text(post.get("date"))


def _terms(groups: Sequence[Any]) -> Iterator[str]:
    """Categories, then tags; "Uncategorized" says nothing."""
    for group in groups:
        for term in map(fields, array(group)):
            if term.get("taxonomy") in ("category", "post_tag") and term.get("slug") != "uncategorized":
                yield text(term.get("name"))


def _image(embedded: Fields, base: str) -> Image | None:
    media = next((fields(each) for each in array(embedded.get("wp:featuredmedia"))), {})
    return image_of(text(media.get("source_url")), base, text(media.get("alt_text")), text(media.get("caption")))
