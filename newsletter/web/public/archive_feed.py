"""The issues of a public newsletter as a feed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree

from starlette.responses import Response

from newsletter.model import Issue
from newsletter.newsroom.issue import previews
from newsletter.plan import Newsletter
from newsletter.web.asking import Ask
from newsletter.web.public.archive import INDEXED
from newsletter.web.public.archive_newsletter import public_newsletter, sent_issues
from newsletter.words import without_unseen

__all__ = ["ENTRIES", "archive_feed"]

ENTRIES = 50
ATOM = "http://www.w3.org/2005/Atom"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def archive_feed(ask: Ask) -> Response:
    """Atom (RFC 4287) of the latest issues that went out; 304 where the asker has them already."""
    newsletter = public_newsletter(ask, ask.path["newsletter"])
    latest = sent_issues(ask, newsletter)[:ENTRIES]
    data = _feed(ask, newsletter, latest)
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {**INDEXED, "etag": etag, "last-modified": format_datetime(_updated(latest), usegmt=True)}
    if etag in ask.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="application/atom+xml")


def _feed(ask: Ask, newsletter: Newsletter, latest: list[Issue]) -> bytes:
    home = f"{ask.room.settings.base_url}/archive/{newsletter.name}/"
    feed = ElementTree.Element("feed", xmlns=ATOM)
    _add(feed, "id", home)
    _add(feed, "title", newsletter.title)
    _add(feed, "updated", _written(_updated(latest)))
    ElementTree.SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{home}feed.xml")
    ElementTree.SubElement(feed, "link", rel="alternate", type="text/html", href=home)
    _add(ElementTree.SubElement(feed, "author"), "name", newsletter.sender.name)
    for issue in latest:
        _entry(ask, feed, issue, home)
    return bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True))


def _entry(ask: Ask, feed: ElementTree.Element, issue: Issue, home: str) -> None:
    address = f"{home}{issue.id.day}"
    whole = previews.preview(ask.room, issue.id)
    entry = ElementTree.SubElement(feed, "entry")
    _add(entry, "id", address)
    _add(entry, "title", whole.subject)
    _add(entry, "updated", _written(issue.settled_at or issue.due_at))
    _add(entry, "published", _written(issue.due_at))
    ElementTree.SubElement(entry, "link", rel="alternate", type="text/html", href=address)
    _add(entry, "summary", whole.preheader)


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = without_unseen(text)


def _updated(latest: list[Issue]) -> datetime:
    return max((issue.settled_at or issue.due_at for issue in latest), default=_EPOCH)


def _written(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
