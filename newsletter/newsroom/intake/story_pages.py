"""A story's own page in the archive of a newsletter: where related reading leads, and where corrections reach it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from newsletter import compose, render
from newsletter.model import PlacedStory, StoryStatus, story_address
from newsletter.newsroom.intake import related
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter

__all__ = ["PageState", "StoryPage", "story_page"]


class PageState(StrEnum):
    """What a page can say of its story."""

    SHOWN = "shown"
    WITHDRAWN = "withdrawn"
    NOT_NOW = "not now"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True)
class StoryPage:
    """What stands on the page; the card (see `newsletter.render.facts`) and the story's id only where it is shown."""

    state: PageState
    card: Mapping[str, Any] | None = None
    story: str = ""


def story_page(room: Newsroom, newsletter: Newsletter, key: str, language: str) -> StoryPage | None:
    """The page of a story that the newsletter has carried or offered, as it is now, with its related reading of today;
    None for any other story."""
    printed = room.story_pages.find(newsletter.name, key)
    if printed is None or printed.id not in (statuses := room.stories.statuses([printed.id])):
        return None
    if statuses[printed.id] is StoryStatus.WITHDRAWN:
        return StoryPage(PageState.WITHDRAWN)
    story, now = room.stories.get(printed.id), room.clock.now()
    if statuses[printed.id] is not StoryStatus.READY or (story.embargo and story.embargo > now):
        return StoryPage(PageState.NOT_NOW)
    if not printed.out:
        return StoryPage(PageState.NOT_YET)
    offers, told = related.offers_kept(room, story.id), frozenset(compose.keys_of(story))
    placed = PlacedStory(story, compose.chosen(offers, limit=newsletter.related, now=now, told=told))
    ours = room.story_pages.out(newsletter.name, [row.id for row in placed.related])
    other = language if language != newsletter.languages[0] else None

    def page_of(story_id: str) -> str | None:
        return story_address("", newsletter.name, story_id, other) if story_id in ours else None

    zone, countries = newsletter.timezone.key, room.templates.countries()
    return StoryPage(PageState.SHOWN, render.story_card(placed, language, zone, page_of, countries), story.id)
