"""Under which country a story is filed: what its publisher says, then its source, then the places that it names.

Where none of them says so it waits for an editor: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from newsletter.countries import country_called, is_country
from newsletter.gather.gazetteer import guess_country
from newsletter.gather.tags import TagSet
from newsletter.model import CountryOrigin, Story
from newsletter.plan.values import SourcePlan

__all__ = ["file_under", "is_language", "is_place", "with_country"]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
_REGION = re.compile(r"[a-z][a-z-]*")
# Georgia, Jersey, Jordan, Chad: as a tag these are as often a state, a garment or a person.
_AMBIGUOUS = frozenset(("GE", "JE", "JO", "TD"))


def is_place(text: str) -> bool:
    """Whether this is an ISO 3166-1 alpha-2 code in capitals, or could be a region of schedule.yaml (`asia`)."""
    return is_country(text) or _REGION.fullmatch(text) is not None


def is_language(text: str) -> bool:
    """Whether this has the form of a language tag (RFC 5646): `en`, `zh-Hans`."""
    return _LANGUAGE.fullmatch(text) is not None


def file_under(tags: TagSet, source: SourcePlan | None) -> tuple[str | None, CountryOrigin | None]:
    """Country and origin of a story: its machine tag, the one country its tags name, the source's default, or none.

    A tag counts when it is exactly a country's English name. Tags that name two countries leave it open.
    """
    if tags.country and is_place(tags.country):
        return tags.country, CountryOrigin.FEED
    if named := _named(tags.visible):
        return named, CountryOrigin.FEED
    if source and source.country:
        return source.country, CountryOrigin.SOURCE
    return None, None


def with_country(story: Story, source: SourcePlan | None, places: Collection[str]) -> Story:
    """The story under its own country, else its tags', else its source's, else the one its words speak of, else none.

    What is neither a country nor one of the desk's `places` counts as no country: it would stand in no issue, and in
    no editor's queue.
    """
    if story.country and (is_country(story.country) or story.country in places):
        return story
    country, origin = file_under(TagSet(story.tags), source)
    if country:
        return replace(story, country=country, country_origin=origin)
    story = replace(story, country=None, country_origin=None)
    if guess := guess_country(story.title, story.summary, story.tags, story.section):
        return replace(story, country=guess.country, country_origin=CountryOrigin.RULE)
    return story


def _named(tags: Sequence[str]) -> str | None:
    # Two letters are seldom a country's code there: AI, IT, US.
    found = {code for tag in tags if len(tag) > 2 and (code := country_called(tag))}
    only = found.pop() if len(found) == 1 else None
    return None if only in _AMBIGUOUS else only
