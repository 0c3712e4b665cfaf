"""Which stories an issue takes, in which order, and which of them opens the subject line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, zip_longest
from types import MappingProxyType

from newsletter.compose.best import Standings, best_first
from newsletter.compose.related import Offer, chosen
from newsletter.compose.sameness import Apart, keys_of, told_before, without_copies
from newsletter.model import CountrySection, Kind, PlacedStory, Precision, Snapshot, Story, StoryStatus
from newsletter.plan.values import Newsletter

__all__ = ["Relate", "compose", "fitting", "lead_of", "placing"]

Relate = Callable[[Sequence[Story]], Mapping[str, Sequence[Offer]]]
"""What may be offered under each of the stories, by story id, best first."""

_EXACTNESS = {Precision.EXACT: 0, Precision.DAY: 1, Precision.FETCHED: 2}


def compose(
    newsletter: Newsletter,
    date: date,
    candidates: Sequence[Story],
    now: datetime,
    *,
    relate: Relate,
    priority: Mapping[str, int] | None = None,
    carried: Sequence[Story] = (),
    apart: Apart = MappingProxyType({}),
    standings: Standings | None = None,
) -> Snapshot:
    """What the newsletter's issue of `date` says, out of the `candidates` of its window.

    `relate` knows what may be offered under the stories it is asked for; the rest is said of `fitting`. A day without
    stories gives a snapshot without sections whose lead is "": whether that goes out is for the caller to say
    (`on_few`).
    """
    once = fitting(
        newsletter, date, candidates, now, priority=priority, carried=carried, apart=apart, standings=standings
    )
    dealt = _dealt(_by_country(once, newsletter), newsletter.stories.max)
    return Snapshot(
        newsletter=newsletter.name,
        date=date,
        title=newsletter.title,
        template=newsletter.template,
        sender=newsletter.sender,
        postal_address=newsletter.postal_address,
        timezone=newsletter.timezone.key,
        languages=newsletter.languages,
        sections=_sections(dealt, relate, now, newsletter.related),
        lead=lead_of(chain.from_iterable(dealt.values())),
        subject_template=newsletter.subject,
        sponsor=newsletter.sponsor,
        segment=newsletter.segment,
        in_archive=newsletter.archive == "public",
        clicks=newsletter.clicks,
    )


def fitting(
    newsletter: Newsletter,
    date: date,
    candidates: Sequence[Story],
    now: datetime,
    *,
    priority: Mapping[str, int] | None = None,
    carried: Sequence[Story] = (),
    apart: Apart = MappingProxyType({}),
    standings: Standings | None = None,
) -> list[Story]:
    """Those of the `candidates` that the issue of `date` may tell, each once: freshest first, or the best first where
    there are `standings`.

    `priority` (by source id) decides which copy of a story is kept. Nothing is told of which a copy was `carried`
    before; what is `apart` is no copy.
    """
    may_be_told = [story for story in candidates if _fits(story, newsletter, date, now)]
    before = told_before(may_be_told, carried, apart)
    once = without_copies((story for story in may_be_told if story.id not in before), priority or {}, apart)
    freshest = sorted(once, key=lambda one: _freshness(one, now))
    return freshest if standings is None else best_first(freshest, standings, priority or {})


def placing(stories: Sequence[Story], relate: Relate, now: datetime, limit: int) -> Callable[[Story], PlacedStory]:
    """How each of the stories of one issue stands in it: with up to `limit` others that the issue does not tell."""
    told = frozenset().union(*map(keys_of, stories))
    offers = relate(stories) if stories and limit else {}

    def placed(story: Story) -> PlacedStory:
        return PlacedStory(story, chosen(offers.get(story.id, ()), limit=limit, now=now, told=told))

    return placed


def lead_of(stories: Iterable[Story]) -> str:
    """The first story a reader meets, so that the subject line promises what the mail opens with; a press release
    opens it only where there is nothing else."""
    ordered = sorted(stories, key=lambda story: story.kind is Kind.PRESS_RELEASE)
    return ordered[0].id if ordered else ""


def _fits(story: Story, newsletter: Newsletter, date: date, now: datetime) -> bool:
    # Counted from the hour of the issue, not from now: an issue made up for later takes what it would have taken.
    due = datetime.combine(date, newsletter.at, tzinfo=newsletter.timezone)
    return (
        story.status is StoryStatus.READY
        and (story.embargo is None or story.embargo <= now)
        and abs(story.published_at - due) <= newsletter.stories.at_most
        and _in_sections(story, newsletter.sections)
        and _place(story, newsletter.countries) is not None
    )


def _in_sections(story: Story, sections: Sequence[str]) -> bool:
    return not sections or story.section.casefold() in {section.casefold() for section in sections}


def _place(story: Story, countries: Sequence[str]) -> str | None:
    """The country of the issue that a story stands under: its own, else the first it is also filed under."""
    if story.country in countries:
        return story.country
    return next((country for country in countries if country in story.also_countries), None)


def _by_country(stories: Iterable[Story], newsletter: Newsletter) -> dict[str, list[Story]]:
    """Every country's first, at most `per_country`; countries in the newsletter's order."""
    filed: dict[str, list[Story]] = {country: [] for country in newsletter.countries}
    for story in stories:
        if country := _place(story, newsletter.countries):
            filed[country].append(story)
    return {country: rows[: newsletter.stories.per_country] for country, rows in filed.items()}


def _freshness(story: Story, now: datetime) -> tuple[float, int, str]:
    # A date ahead of now is a clock or a zone gone wrong, which must not put a story first.
    published = min(story.published_at, now)
    return -published.timestamp(), _EXACTNESS[story.published_precision], story.id


def _dealt(filed: Mapping[str, Sequence[Story]], most: int) -> dict[str, list[Story]]:
    """`most` stories dealt round by round: each country's first before any country's second."""
    rounds = zip_longest(*([(country, story) for story in rows] for country, rows in filed.items()))
    cards = [card for cards in rounds for card in cards if card is not None][:most]
    dealt = {country: [story for place, story in cards if place == country] for country in filed}
    return {country: rows for country, rows in dealt.items() if rows}


def _sections(
    dealt: Mapping[str, Sequence[Story]], relate: Relate, now: datetime, limit: int
) -> tuple[CountrySection, ...]:
    placed = placing(list(chain.from_iterable(dealt.values())), relate, now, limit)
    return tuple(CountrySection(country, tuple(map(placed, rows))) for country, rows in dealt.items())
