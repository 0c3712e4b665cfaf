"""Ghost through its Content API, and what its webhooks bring: signed, in the form of today and the one before."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from newsletter.errors import InputError, SourceError
from newsletter.gather.entries import Entry, Frame, image_of, stories_of
from newsletter.gather.fetched import fetch_pages, required, site
from newsletter.gather.fetching import check_address
from newsletter.gather.json_answers import Fields, array, fields, load, text
from newsletter.gather.links import absolute_link
from newsletter.gather.tags import sort_tags
from newsletter.model import Refusal, Story
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

__all__ = ["GhostSource", "parse", "parse_webhook", "verify_webhook"]

_PATH = "/ghost/api/content/posts/"
_A_PAGE = 100
_SIGNATURE = re.compile(r"sha256=([0-9a-fA-F]{64})(?:, ?t=(\d{1,16}))?")
_FRESH = timedelta(minutes=5)


class GhostSource:
    """The posts of a Ghost site; `url` is the site's address, `key` a Content API key."""

    def __init__(self, plan: SourcePlan, desk: Path, key: str | None = None) -> None:
        check_address(plan)
        self.id = plan.id
        self._plan = plan
        self._key = required(key, plan, "a Content API key")

    def fetch(self, state: SourceState, now: datetime) -> Fetched:
        """Ask for what changed since the last poll, or for the latest posts."""
        try:
            return fetch_pages(__name__, self._plan, state, now, self._address, _A_PAGE)
        except SourceError as error:
            # The key stands in the address, and the address in the error.
            raise SourceError(str(error).replace(self._key, "…"), error.retry_at) from None

    def _address(self, since: str | None, page: int) -> str:
        asked: dict[str, object] = {"key": self._key, "limit": _A_PAGE, "page": page, "include": "authors,tags"}
        if since is None:
            asked |= {"order": "published_at desc"}
        else:
            # NQL, Ghost's filter language, wants its instants quoted and without a zone (they are UTC).
            asked |= {"filter": f"updated_at:>'{since.replace('T', ' ').removesuffix('Z')}'", "order": "updated_at asc"}
        return f"{site(self._plan, _PATH)}?{urlencode(asked)}"


def parse(
    data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> tuple[list[Story], list[Refusal]]:
    """The stories of an answer of the Content API in its order, and posts that cannot be one; raises `SourceError`."""
    where = f"source {plan.id}: {address or 'the saved posts'}"
    answer = fields(load(data, content_type, where, "an answer of Ghost"))
    if not isinstance(answer.get("posts"), list):
        said = "; ".join(text(fields(error).get("message")) for error in array(answer.get("errors")))
        raise SourceError(
            f"{where} holds no posts{f' but says: {said[:200]}' if said else ''}; correct its url or its key"
        )
    frame = Frame(plan=plan, now=now, base=address)
    return stories_of((_entry(fields(post), address) for post in answer["posts"]), frame)


def parse_webhook(data: bytes, plan: SourcePlan, now: datetime) -> tuple[list[Story], list[Refusal]]:
    """The story that a webhook of Ghost brings; none for a post that is not public yet, or was deleted."""
    post = fields(
        fields(fields(load(data, None, f"source {plan.id}: the webhook", "a webhook of Ghost")).get("post")).get(
            "current"
        )
    )
    if text(post.get("status")) != "published":
        return [], []
    return stories_of([_entry(post, plan.url or "")], Frame(plan=plan, now=now, base=plan.url or ""))


def verify_webhook(data: bytes, signature: str, key: str, now: datetime) -> None:
    """Raise `InputError` unless the header X-Ghost-Signature fits the body and is of the last five minutes.

    Since version 5.87 Ghost signs the body with the time behind it; before that it signed the body alone, and sent the
    time beside it unsigned.
    """
    match = _SIGNATURE.fullmatch(signature.strip())
    if match is None:
        raise InputError("X-Ghost-Signature must read sha256=…, t=…")
    given, at = match[1].lower(), match[2] or ""
    signed = [hmac.new(key.encode(), body, hashlib.sha256).hexdigest() for body in (data + at.encode(), data)]
    fits = [hmac.compare_digest(given, each) for each in signed]
    if not any(fits):
        raise InputError("X-Ghost-Signature does not fit the body; is the secret of the webhook the source's?")
    if at and abs(now.timestamp() - int(at) / 1000) > _FRESH.total_seconds():
        raise InputError("X-Ghost-Signature is older than five minutes, or the clocks differ")


def _entry(post: Fields, base: str) -> Entry:
    return Entry(
        title=text(post.get("title")),
        url=absolute_link(text(post.get("url")), base),
        id=text(post.get("id")),
        guid=text(post.get("id")),
        dates=(text(post.get("published_at")), text(post.get("created_at"))),
        byline=list(_authors(post)),
        tags=sort_tags(_tags(post)),
        summary=text(post.get("custom_excerpt")) or text(post.get("excerpt")),
        full=text(post.get("html")) or text(post.get("plaintext")),
        image=image_of(
            text(post.get("feature_image")),
            base,
            text(post.get("feature_image_alt")),
            text(post.get("feature_image_caption")),
        ),
    )


def _authors(post: Fields) -> Iterator[str]:
    written = array(post.get("authors")) or (post.get("primary_author"),)
    yield from (text(fields(author).get("name")) for author in written)


def _tags(post: Fields) -> Iterator[str]:
    """Tags that readers of the site see: internal ones begin with # there."""
    for tag in map(fields, array(post.get("tags"))):
        name = text(tag.get("name"))
        if tag.get("visibility") != "internal" and not name.startswith("#"):
            yield name
