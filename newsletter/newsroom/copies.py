"""Which stories are copies of one another, and which of them leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from newsletter.compose import NEAR_IDENTICAL
from newsletter.model import Story
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Choice
from newsletter.words import cosine, read, text_of

__all__ = ["COPIES_WITHIN", "settle_copies"]

COPIES_WITHIN = timedelta(days=3)
"""Two reports with one title weeks apart are two editions of a column, not copies."""

Pair = tuple[str, str]


def settle_copies(room: Newsroom, arrived: Mapping[int, tuple[Story, Sequence[Story]]]) -> None:
    """Collapse copies among the stories that arrived or changed and all that they are, or were, one with.

    `arrived` has, by row, each story and others that share words with it. Copies share an exact key (canonical URL,
    or the title within three days), or near-identical text, or an editor said so; never against an editor's word. The
    lead is the story whose source has the higher priority, then the earliest.
    """
    links = room.story_links
    stories = {story.id: story for story, _ in arrived.values()}
    alike = {_pair(story, other) for story, like in arrived.values() for other in like if _near_identical(story, other)}
    stories |= {other.id: other for _, like in arrived.values() for other in like if _in(alike, other)}
    stories |= {
        row.story.id: row.story for rows in links.copies(stories.values(), COPIES_WITHIN).values() for row in rows
    }
    choices = links.choices(stories)
    together = {_named(one, other) for one, other in _said(choices, Choice.TOGETHER)}
    stories |= room.stories.find({name for pair in together for name in pair} - stories.keys())
    leads = links.leads(stories)
    members = links.clusters({lead for lead in leads.values() if lead})
    for rows in members.values():
        stories |= {row.story.id: row.story for row in rows}
        alike |= {
            _pair(one.story, two.story) for one, two in combinations(rows, 2) if _near_identical(one.story, two.story)
        }
    choices = links.choices(stories)
    exact = links.copies(stories.values(), COPIES_WITHIN)
    pairs = {_named(name, row.story.id) for name, rows in exact.items() for row in rows if row.story.id != name}
    pairs |= alike | {_named(one, other) for one, other in _said(choices, Choice.TOGETHER) if other in stories}
    pairs -= {_named(one, other) for one, other in _said(choices, Choice.APART)}
    links.put_leads({name: lead for group in _groups(stories, pairs) for name, lead in _led(room, group).items()})


def _led(room: Newsroom, group: Sequence[Story]) -> dict[str, str | None]:
    sources = room.plan.sources

    def order(story: Story) -> tuple[int, float, str]:
        source = sources.get(story.source)
        return -(source.priority if source else 0), story.published_at.timestamp(), story.id

    lead = min(group, key=order).id if len(group) > 1 else None
    return {story.id: lead for story in group}


def _groups(stories: Mapping[str, Story], pairs: Iterable[Pair]) -> Iterator[list[Story]]:
    """The stories in groups that the pairs connect."""
    neighbours: dict[str, list[str]] = {name: [] for name in stories}
    for one, other in pairs:
        neighbours[one].append(other)
        neighbours[other].append(one)
    left = set(stories)
    while left:
        found, todo = set[str](), [min(left)]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += neighbours[name]
        left -= found
        yield [stories[name] for name in sorted(found)]


def _near_identical(one: Story, other: Story) -> bool:
    if abs(one.published_at - other.published_at) > COPIES_WITHIN:
        return False
    return cosine(read(text_of(one)).terms, read(text_of(other)).terms) >= NEAR_IDENTICAL


def _said(choices: Mapping[str, Mapping[str, Choice]], wanted: Choice) -> Iterator[Pair]:
    for one, others in choices.items():
        yield from ((one, other) for other, choice in others.items() if choice is wanted)


def _pair(one: Story, other: Story) -> Pair:
    return _named(one.id, other.id)


def _named(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _in(pairs: Iterable[Pair], story: Story) -> bool:
    return any(story.id in pair for pair in pairs)
