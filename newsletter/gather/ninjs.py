"""News in JSON of the IPTC: ninjs 1.x (snake_case), 2.x and 3.x (camelCase); one item, a list, or {"items": […]}."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from newsletter.errors import SourceError
from newsletter.gather.entries import Entry, Frame, image_of, stories_of
from newsletter.gather.fetched import JSON, OnePage
from newsletter.gather.json_answers import Fields, array, fields, load, text
from newsletter.gather.links import absolute_link
from newsletter.gather.tags import sort_tags
from newsletter.model import Image, Kind, Refusal, Story
from newsletter.plan.values import SourcePlan

__all__ = ["NinjsSource", "parse"]

_KINDS = {
    "opinion": Kind.OPINION,
    "analysis": Kind.OPINION,
    "commentary": Kind.OPINION,
    "editorial": Kind.OPINION,
    "press release": Kind.PRESS_RELEASE,
    "press-release": Kind.PRESS_RELEASE,
}


class NinjsSource(OnePage):
    """A ninjs document on the web."""

    accept = JSON


def parse(
    data: bytes, plan: SourcePlan, now: datetime, *, address: str, content_type: str | None = None
) -> tuple[list[Story], list[Refusal]]:
    """The stories of a ninjs document in its order, and items that cannot be one; raises `SourceError`.

    An agency's item need not have an address: it comes as a draft that waits for one.
    """
    where = f"source {plan.id}: {address or 'the saved items'}"
    items = _items(load(data, content_type, where, "ninjs"))
    if items is None:
        raise SourceError(f"{where} is JSON without a ninjs item (uri or guid, headline); correct its url or its kind")
    frame = Frame(plan=plan, now=now, base=address)
    return stories_of((_entry(fields(item), address) for item in items), frame)


def _items(document: object) -> Sequence[Any] | None:
    if isinstance(document, list):
        return document
    holder = fields(document)
    for key in ("items", "_items"):
        if isinstance(holder.get(key), list):
            return array(holder[key])
    return [document] if _identity(holder) and _headline(holder) else None


def _entry(item: Fields, base: str) -> Entry | str:
    state = (_first(item, "pubStatus", "pubstatus") or "usable").lower()
    if state != "usable":
        return f"its status is {state[:40]} ({_headline(item)!r})"
    if (_first(item, "type") or "text") != "text":
        return f"it is no text but {_first(item, 'type')[:40]} ({_headline(item)!r})"
    guid = _identity(item)
    return Entry(
        title=_headline(item),
        url=_link(item, base) or absolute_link(guid),
        guid=guid,
        dates=tuple(_dates(item)),
        byline=tuple(_byline(item)),
        tags=sort_tags(tuple(_subjects(item)), marked=True),
        summary=_prose(item, "descriptions", "description"),
        full=_prose(item, "bodies", "body"),
        image=_image(item, base),
        language=_first(item, "language"),
        rights=_first(item, "usageTerms", "usageterms", "copyrightNotice", "copyrightnotice"),
        kind=_kind(item),
        linkless=True,
    )


def _first(item: Fields, *keys: str) -> str:
    return next((found for key in keys if (found := text(item.get(key)).strip())), "")


def _identity(item: Fields) -> str:
    return _first(item, "uri", "guid", "altId", "altid")


def _headline(item: Fields) -> str:
    headlines = [fields(each) for each in array(item.get("headlines"))]
    main = [each for each in headlines if each.get("role") == "main"] or headlines
    return next((text(each.get("value")) for each in main), "") or _first(item, "headline", "title", "name")


def _link(item: Fields, base: str) -> str | None:
    written = [text(item.get("url")), text(item.get("web")), *(text(each) for each in array(item.get("renditions")))]
    return next((link for each in written if each and (link := absolute_link(each, base))), None)


def _dates(item: Fields) -> Iterator[str]:
    yield text(fields(item.get("extra")).get("original_published_at"))
    yield from (text(item.get(key)) for key in ("firstCreated", "firstcreated", "versionCreated", "versioncreated"))


def _byline(item: Fields) -> Iterator[str]:
    if written := _first(item, "by", "byline"):
        yield written
        return
    for key in ("people", "authors", "infosources", "infoSources"):
        for person in map(fields, array(item.get(key))):
            if person.get("rel") in (None, "author", "creator"):
                yield text(person.get("name"))


def _subjects(item: Fields) -> Iterator[str]:
    """Subjects by name, marks and all: what stands there is what its publisher calls it."""
    for key in ("subjects", "subject"):
        for subject in map(fields, array(item.get(key))):
            yield text(subject.get("name"))


def _prose(item: Fields, plural: str, singular: str) -> str:
    texts = [text(fields(each).get("value")) for each in array(item.get(plural))]
    texts += [text(item.get(f"{singular}_{form}")) for form in ("html", "xhtml", "text")]
    return next((found for found in texts if found.strip()), "")


def _kind(item: Fields) -> Kind:
    genres = [text(fields(each).get("name")).lower() for key in ("genres", "genre") for each in array(item.get(key))]
    return next((_KINDS[genre] for genre in genres if genre in _KINDS), Kind.REPORT)


def _image(item: Fields, base: str) -> Image | None:
    """The picture that goes with the text: an object by name in 1.x, a list in 2.x and later."""
    associations = item.get("associations")
    others = list(associations.values()) if isinstance(associations, dict) else array(associations)
    for other in map(fields, others):
        if _first(other, "type") == "picture":
            renditions = other.get("renditions")
            forms = list(renditions.values()) if isinstance(renditions, dict) else array(renditions)
            found = [text(fields(form).get("href")) or text(fields(form).get("url")) for form in forms]
            address = next((each for each in found if each), "") or _identity(other)
            credit = _first(other, "by", "byline", "copyrightHolder", "copyrightholder")
            people = [text(fields(person).get("name")) for person in array(other.get("authors"))]
            alt = _prose(other, "descriptions", "description") or _headline(other)
            return image_of(address, base, alt, credit or next(iter(people), ""))
    return None
