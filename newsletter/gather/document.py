"""The JSON object of a story (docs/story-files.md): read strictly, written so that it reads back equal.

Keys that the contract does not name are let pass and not kept: other people's systems carry more than we need. Of
those that `stories list --json` adds, `status` is read, so that what is withdrawn stays so; and who chose the country
where a desk reads a file of its own, never where a source sends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from newsletter.gather.cleaning import SUMMARY_LIMIT, TITLE_LIMIT, clean_text, paragraphs, split_paragraphs, visible
from newsletter.gather.dates import AHEAD, Dated, read_date
from newsletter.gather.entries import image_of, names
from newsletter.gather.extract import extract
from newsletter.gather.filing import file_under, is_language, is_place
from newsletter.gather.identity import external_id_of
from newsletter.gather.links import absolute_link, canonical_url
from newsletter.gather.summaries import EXTRACT_LIMIT
from newsletter.gather.tags import TagSet, sort_tags, split_tags, unless_machine_tag
from newsletter.model import (
    CountryOrigin,
    Image,
    Kind,
    NoteOrigin,
    Precision,
    Provenance,
    Story,
    StoryStatus,
    SummaryOrigin,
)
from newsletter.plan.values import SourcePlan

__all__ = ["UnfitStoryError", "read_story", "write_story"]

_NAME_LIMIT = 120
_UNNAMED_SOURCE = "import"
_SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MACHINE_NAME = re.compile(r"[A-Za-z][\w.-]{0,63}")

Choice = TypeVar("Choice", bound=StrEnum)
Fields = Mapping[str, object]


class UnfitStoryError(ValueError):
    """The object cannot be taken as a story; the message names the key and what it must be."""


def read_story(
    document: object, source: SourcePlan | None, now: datetime, sources: Mapping[str, SourcePlan] = MappingProxyType({})
) -> Story:
    """The story of one object; raises `UnfitStoryError`. `source` gives what the object leaves out.

    Without a `source` the one of `sources` does that is named in the object.

    A reader that could not make an object of a line or row puts the error in its place.
    """
    if isinstance(document, UnfitStoryError):
        raise document
    if not isinstance(document, Mapping):
        raise UnfitStoryError("a story is a JSON object with title, url and published_at")
    fields: Fields = document
    title = _required(fields, "title", TITLE_LIMIT)
    url = "" if source is None and _is_linkless(fields) else _link(fields)
    source_id = _source(fields, source)
    plan = source or sources.get(source_id)
    tags = _tags(fields)
    guid = visible(_raw(fields, "guid")) or None
    canonical = canonical_url(url) if url else ""
    published_at, precision = _published(fields, now)
    country, country_origin = _country(fields, tags, plan)
    if source is None and country:
        country_origin = _ours(fields, "country_origin", country_origin or CountryOrigin.FEED)
    summary, summary_origin = _summary(fields, title, plan)
    return Story(
        source=source_id,
        external_id=external_id_of(source_id, tags.machine, visible(_raw(fields, "external_id")), guid, canonical),
        guid=guid,
        url=url,
        url_canonical=canonical,
        title=title,
        outlet=_text(fields, "outlet", _NAME_LIMIT) or _outlet(plan),
        outlet_language=_language(fields, "outlet_language", plan),
        published_at=published_at,
        published_precision=precision,
        summary=summary,
        summary_origin=summary_origin,
        note=paragraphs(_texts(fields, "note", split_paragraphs)),
        note_origin=_choice(fields, "note_origin", NoteOrigin.MODEL),
        note_approved_by=_text(fields, "note_approved_by", _NAME_LIMIT) or None,
        note_provenance=_provenance(fields),
        paywall=_flag(fields, "paywall"),
        kind=_choice(fields, "kind", Kind.REPORT),
        byline=names(_texts(fields, "byline", lambda text: [text])) or names(tags.byline),
        country=country,
        country_origin=country_origin,
        also_countries=tuple(_place(place, "also_countries") for place in _texts(fields, "also_countries", str.split)),
        section=unless_machine_tag(_text(fields, "section", _NAME_LIMIT))
        or (plan.section if plan and plan.section else ""),
        embargo=_embargo(fields),
        tags=tags.visible,
        machine_tags=tags.machine,
        image=_image(fields),
        rights=_text(fields, "rights", 300),
        language=_language(fields, "language", plan),
        status=_ours(fields, "status", StoryStatus.READY),
        gathered_at=now,
    )


def write_story(story: Story) -> dict[str, object]:
    """The JSON object of a story: every key of the contract, its status, and where its summary and country are from."""
    return {
        "source": story.source,
        "external_id": story.external_id,
        "url": story.url,
        "url_canonical": story.url_canonical,
        "guid": story.guid,
        "title": story.title,
        "summary": story.summary,
        "summary_origin": story.summary_origin.value,
        "note": list(story.note),
        "note_origin": story.note_origin.value,
        "note_approved_by": story.note_approved_by,
        "note_provenance": asdict(story.note_provenance) if story.note_provenance else None,
        "outlet": story.outlet,
        "outlet_language": story.outlet_language,
        "paywall": story.paywall,
        "kind": story.kind.value,
        "byline": list(story.byline),
        "country": story.country,
        "country_origin": story.country_origin.value if story.country_origin else None,
        "also_countries": list(story.also_countries),
        "section": story.section,
        "embargo": story.embargo.isoformat() if story.embargo else None,
        "tags": list(story.tags),
        "machine_tags": dict(story.machine_tags),
        "image": asdict(story.image) if story.image else None,
        "rights": story.rights,
        "published_at": story.published_at.isoformat(),
        "published_precision": story.published_precision.value,
        "language": story.language,
        "status": story.status.value,
    }


def _raw(fields: Fields, key: str) -> str:
    """The text under a key, "" where there is none; a whole number is text too, since ids often are."""
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UnfitStoryError(f"{key} must be text, not {_kind_of(value)}")
    return value


def _text(fields: Fields, key: str, limit: int) -> str:
    return clean_text(_raw(fields, key), limit)


def _required(fields: Fields, key: str, limit: int) -> str:
    text = _text(fields, key, limit)
    if not text:
        raise UnfitStoryError(f"{key} is missing; title, url and published_at are required")
    return text


def _texts(fields: Fields, key: str, split: Callable[[str], list[str]]) -> list[str]:
    """The texts of a list; one text alone is split by `split`, a function from text to texts."""
    value = fields.get(key)
    if value is None:
        return []
    if isinstance(value, str):
        return split(value)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise UnfitStoryError(f"{key} must be a list of texts, not {_kind_of(value)}")
    return value


def _flag(fields: Fields, key: str) -> bool:
    value = fields.get(key)
    if value is not None and not isinstance(value, bool):
        raise UnfitStoryError(f"{key} must be true or false, not {_kind_of(value)}")
    return bool(value)


def _choice(fields: Fields, key: str, default: Choice) -> Choice:
    text = _raw(fields, key)
    if not text:
        return default
    try:
        return type(default)(text)
    except ValueError:
        choices = ", ".join(type(default))
        raise UnfitStoryError(f"{key} is {text[:40]!r}; it must be one of {choices}") from None


def _ours(fields: Fields, key: str, default: Choice) -> Choice:
    """A choice under a key that other systems use for words of their own, which say nothing here."""
    value = fields.get(key)
    return type(default)(value) if isinstance(value, str) and value in list(type(default)) else default


def _is_linkless(fields: Fields) -> bool:
    """Whether this is a draft of ours that waits for its link, as `stories export` writes one."""
    waits = _ours(fields, "status", StoryStatus.READY) is StoryStatus.DRAFT
    return waits and not _raw(fields, "url").strip() and bool(_raw(fields, "external_id").strip())


def _link(fields: Fields) -> str:
    written = _raw(fields, "url")
    if not written.strip():
        raise UnfitStoryError("url is missing; title, url and published_at are required")
    link = absolute_link(written)
    if link is None:
        raise UnfitStoryError(f"url is {written[:80]!r}; it must be an absolute http(s) address without a password")
    return link


def _source(fields: Fields, source: SourcePlan | None) -> str:
    name = _raw(fields, "source").strip() or (source.id if source else _UNNAMED_SOURCE)
    if not _SOURCE_ID.fullmatch(name):
        raise UnfitStoryError(f"source is {name[:40]!r}; it must be a name of letters, digits, '-', '.' and '_'")
    return name


def _outlet(source: SourcePlan | None) -> str:
    if source is None or not source.outlet:
        raise UnfitStoryError("outlet is missing, and the source names none")
    return source.outlet


def _tags(fields: Fields) -> TagSet:
    # What we wrote ourselves has no marks before its tags: a `#` there is part of a name.
    tags = sort_tags(_texts(fields, "tags", split_tags), marked="country_origin" in fields)
    stated = fields.get("machine_tags")
    if stated is None:
        return tags
    if not isinstance(stated, Mapping):
        raise UnfitStoryError(f"machine_tags must be an object of names and texts, not {_kind_of(stated)}")
    machine = dict(tags.machine)
    for name in stated:
        if not isinstance(name, str) or not _MACHINE_NAME.fullmatch(name):
            raise UnfitStoryError(f"machine_tags: {str(name)[:40]!r} is no name of letters, digits, '-', '.' and '_'")
        machine[name] = _text(stated, name, _NAME_LIMIT)
    country = machine.pop("country", None)
    return TagSet(tags.visible, tags.byline, tags.country or country, machine)


def _country(fields: Fields, tags: TagSet, source: SourcePlan | None) -> tuple[str | None, CountryOrigin | None]:
    stated = _raw(fields, "country").strip()
    return (_place(stated, "country"), CountryOrigin.FEED) if stated else file_under(tags, source)


def _place(text: str, key: str) -> str:
    if not is_place(text):
        raise UnfitStoryError(
            f"{key} has {text[:40]!r}; write an ISO 3166-1 code in capitals (CN), or a region in lower case (asia)"
        )
    return text


def _language(fields: Fields, key: str, source: SourcePlan | None) -> str | None:
    text = _raw(fields, key).strip()
    if text and not is_language(text):
        raise UnfitStoryError(f"{key} is {text[:40]!r}; write a language tag such as en or zh-Hans")
    return text or (source.language if source else None)


def _image(fields: Fields) -> Image | None:
    """A picture as {"url", "alt", "credit"}, or its address alone."""
    stated = fields.get("image")
    if stated is None or stated == "":
        return None
    parts = {"url": stated} if isinstance(stated, str) else stated
    if not isinstance(parts, Mapping):
        raise UnfitStoryError(f"image must be an object of url, alt and credit, not {_kind_of(stated)}")
    image = image_of(_raw(parts, "url"), "", _raw(parts, "alt"), _raw(parts, "credit"))
    if image is None:
        raise UnfitStoryError(f"image has the url {_raw(parts, 'url')[:80]!r}; it must be an absolute http(s) address")
    return image


def _provenance(fields: Fields) -> Provenance | None:
    stated = fields.get("note_provenance")
    if stated is None:
        return None
    if not isinstance(stated, Mapping):
        raise UnfitStoryError(f"note_provenance must be an object of model, prompt and input, not {_kind_of(stated)}")
    return Provenance(*(_text(stated, key, _NAME_LIMIT) for key in ("model", "prompt", "input")))


def _published(fields: Fields, now: datetime) -> Dated:
    instant, precision = _instant(fields, "published_at")
    if instant > now + AHEAD:
        raise UnfitStoryError(f"published_at is {_raw(fields, 'published_at')[:40]!r}, more than a year ahead")
    return instant, _choice(fields, "published_precision", precision)


def _embargo(fields: Fields) -> datetime | None:
    return _instant(fields, "embargo")[0] if _raw(fields, "embargo") else None


def _instant(fields: Fields, key: str) -> Dated:
    """A time with a zone, or a date alone; anything else in a file of a publisher's own is a mistake to tell of."""
    text = _raw(fields, key).strip()
    if not text:
        raise UnfitStoryError(f"{key} is missing; title, url and published_at are required")
    dated = read_date(text)
    if dated is None or (dated[1] is Precision.DAY and ":" in text):
        raise UnfitStoryError(f"{key} is {text[:40]!r}; write a time with its zone, such as 2026-05-27T08:00:00+00:00")
    return dated


def _summary(fields: Fields, title: str, source: SourcePlan | None) -> tuple[str, SummaryOrigin]:
    """The summary as stated; without one, an extract of `content`, which is not kept itself."""
    quoted = source.quote_limit if source and source.quote_limit is not None else SUMMARY_LIMIT
    origin = _choice(fields, "summary_origin", SummaryOrigin.PUBLISHER)
    own = origin in (SummaryOrigin.MODEL, SummaryOrigin.HUMAN)
    if summary := _text(fields, "summary", SUMMARY_LIMIT if own else min(quoted, SUMMARY_LIMIT)):
        return summary, origin
    found = extract(title, _raw(fields, "content"), min(quoted, EXTRACT_LIMIT))
    return found, SummaryOrigin.EXTRACTIVE if found else SummaryOrigin.PUBLISHER


def _kind_of(value: object) -> str:
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), type(value).__name__)
