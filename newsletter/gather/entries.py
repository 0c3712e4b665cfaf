"""What one entry of any source holds, as written there, and the story made of it: the same for every kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.gather.cleaning import TITLE_LIMIT, clean_text, visible
from newsletter.gather.dates import AHEAD, read_date
from newsletter.gather.filing import file_under, is_language
from newsletter.gather.identity import external_id_of, host_of
from newsletter.gather.links import absolute_link, canonical_url
from newsletter.gather.summaries import summarise
from newsletter.gather.tags import TagSet, unless_machine_tag
from newsletter.model import Image, Kind, Precision, Refusal, Story, StoryStatus, machine_tag
from newsletter.plan.values import SourcePlan

__all__ = ["Entry", "Frame", "image_of", "names", "stories_of"]

NAME_LIMIT = 120
_MOST_NAMES = 30
_RIGHTS_LIMIT = 300
_ALT_LIMIT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all entries of one answer share. `base` is where it was fetched from: relative links start there; `home` is
    the site it is of."""

    plan: SourcePlan
    now: datetime
    base: str
    title: str = ""
    language: str = ""
    rights: str = ""
    home: str = ""

    @property
    def hosts(self) -> frozenset[str]:
        """Whose numbers are the source's own."""
        return frozenset(filter(None, map(host_of, (self.base, self.home, self.plan.url or ""))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as its source writes it: markup, dates as text, the first that can be read counts.

    `url` is absolute or None. `id` is the number or name its CMS gives it, `guid` what it says is the same for good.
    `linkless` is set where a story may come without an address: it is taken as a draft that waits for one.
    """

    title: str
    url: str | None
    id: str | None = None
    guid: str | None = None
    dates: Sequence[str] = ()
    byline: Sequence[str] = ()
    tags: TagSet = field(default_factory=TagSet)
    summary: str = ""
    full: str = ""
    image: Image | None = None
    language: str = ""
    rights: str = ""
    section: str = ""
    kind: Kind = Kind.REPORT
    linkless: bool = False


def stories_of(entries: Iterable[Entry | str], frame: Frame) -> tuple[list[Story], list[Refusal]]:
    """The stories of the entries in their order, and those that cannot be one; a text among them says why it is none.

    Positions count from 1. An identity that comes twice is taken once, the first; at another link it is refused, since
    two stories under one identity would take turns at each poll.
    """
    stories: dict[str, Story] = {}
    refused: list[Refusal] = []
    for position, entry in enumerate(entries, start=1):
        story = entry if isinstance(entry, str) else _story(entry, frame)
        if isinstance(story, str):
            refused.append(Refusal(f"entry {position}", story))
            continue
        first = stories.setdefault(story.external_id, story)
        if first.url_canonical != story.url_canonical:
            reason = f"it has the identity of {first.title!r} ({story.guid or story.external_id}), and another link"
            refused.append(Refusal(f"entry {position}", reason))
    return list(stories.values()), refused


def names(written: Iterable[str]) -> tuple[str, ...]:
    """Names of people, clean and each once: neither addresses nor what an encoding fault left of one ("??? ?????")."""
    cleaned = (clean_text(name, NAME_LIMIT) for name in written)
    without = map(_of_a_person, cleaned)
    people = dict.fromkeys(name for name in without if any(map(str.isalpha, name)) and "://" not in name)
    return tuple(people)[:_MOST_NAMES]


def _of_a_person(name: str) -> str:
    found = machine_tag(name)
    return name if found is None else found[1] if found[0] == "byline" else ""


def image_of(url: str, base: str, alt: str = "", credit: str = "") -> Image | None:
    """A picture by its address, with clean words; None where there is no safe address."""
    link = absolute_link(url, base)
    return Image(link, clean_text(alt, _ALT_LIMIT), clean_text(credit, NAME_LIMIT)) if link else None


def _story(entry: Entry, frame: Frame) -> Story | str:
    """The story of one entry, or the reason why it cannot be one."""
    title = clean_text(entry.title, TITLE_LIMIT)
    if not title:
        return f"it has no title ({entry.url or 'and no link'})"
    if entry.url is None and not entry.linkless:
        return f"it has no http(s) link that can be shown ({title!r})"
    plan, url = frame.plan, entry.url or ""
    country, country_origin = file_under(entry.tags, plan)
    guid = visible(entry.guid or "") or None
    canonical = canonical_url(url) if url else ""
    dated = next((read for text in entry.dates if (read := read_date(text)) and read[0] <= frame.now + AHEAD), None)
    published_at, precision = dated or (frame.now, Precision.FETCHED)
    summary, summary_origin = summarise(title, entry.summary, entry.full, plan)
    language = next((text for text in (plan.language, entry.language.strip(), frame.language.strip()) if text), "")
    return Story(
        source=plan.id,
        external_id=external_id_of(
            plan.id, entry.tags.machine, visible(entry.id or ""), guid, canonical or title, frame.hosts
        ),
        guid=guid,
        url=url,
        url_canonical=canonical,
        title=title,
        outlet=_outlet(frame),
        outlet_language=plan.language,
        published_at=published_at,
        published_precision=precision,
        summary=summary,
        summary_origin=summary_origin,
        kind=entry.kind,
        byline=names(entry.byline) or names(entry.tags.byline),
        country=country,
        country_origin=country_origin,
        section=plan.section or unless_machine_tag(clean_text(entry.section, NAME_LIMIT)),
        tags=entry.tags.visible,
        machine_tags=entry.tags.machine,
        # Without rights to it a picture is its owner's: headline, our own extract and a link, and no more.
        image=entry.image if plan.rights_confirmed_by else None,
        rights=clean_text(entry.rights or frame.rights, _RIGHTS_LIMIT),
        language=language if is_language(language) else None,
        status=StoryStatus.READY if url else StoryStatus.DRAFT,
        gathered_at=frame.now,
    )


def _outlet(frame: Frame) -> str:
    plan = frame.plan
    return plan.outlet or clean_text(frame.title, NAME_LIMIT) or urlsplit(frame.base).hostname or plan.id
