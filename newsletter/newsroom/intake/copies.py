"""Which stories are copies of one another, and which of them leads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from newsletter.compose import COPIES_WITHIN, NEAR_IDENTICAL, Apart
from newsletter.model import Story
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Choice, StoryRow
from newsletter.words import cosine, read, text_of

__all__ = ["settle_copies", "told_apart"]

MOST_COMPARED = 60

Pair = tuple[str, str]


def settle_copies(room: Newsroom, arrived: Mapping[int, tuple[Story, Sequence[Story]]]) -> None:
    """Collapse copies among the stories that arrived or changed and all that they are, or were, one with.

    `arrived` has, by row, each story and others that share words with it. Copies share an exact key (canonical URL,
    or the title within three days), or near-identical text, or an editor said so; never against an editor's word. The
    lead is the story whose source has the higher priority, then the earliest.

    A cluster that a changed story is in is settled anew. One that stories only join stays together, and its lead
    speaks for it: thousands of alerts written to one pattern cost no more each than the first.
    """
    links = room.story_links
    stories = {story.id: story for story, _ in arrived.values()}
    settled_anew = {lead for lead in links.leads(stories).values() if lead}
    members = links.clusters(settled_anew)
    stories |= {row.story.id: row.story for rows in members.values() for row in rows}
    alike = [(story, other) for story, like in arrived.values() for other in like if _near_identical(story, other)]
    alike += [pair for rows in members.values() for pair in _looked_at(rows) if _near_identical(*pair)]
    choices = links.choices(stories)
    pairs = {
        _named(name, other) for name, found in links.copies(stories.values(), COPIES_WITHIN).items() for other in found
    }
    pairs |= {_named(one.id, other.id) for one, other in alike} | set(_said(choices, Choice.TOGETHER))
    pairs -= set(_said(choices, Choice.APART))
    names = stories.keys() | {name for pair in pairs for name in pair}
    # What still waits for its own turn is joined then; joined now, it would look changed when its turn comes.
    later = links.waiting_of(names - stories.keys())
    leads = links.leads(names - later)
    pairs = {pair for pair in pairs if later.isdisjoint(pair)}
    joined = {name: lead for name, lead in leads.items() if lead and lead not in settled_anew}
    pairs |= {_named(name, lead) for name, lead in joined.items()}
    speakers = (leads.keys() - joined.keys()) | set(joined.values())
    stories |= room.stories.find(speakers - stories.keys())
    new: dict[str, str | None] = {}
    for group in _groups(leads.keys() | set(joined.values()), pairs):
        lead = _lead(room, [stories[name] for name in group if name in speakers])
        alone = len(group) == 1 and group[0] not in joined
        new |= dict.fromkeys(group, None if alone else lead)
    links.put_leads(new)
    links.move_clusters({old: moved for old in set(joined.values()) if (moved := new[old]) and moved != old})


def told_apart(room: Newsroom, stories: Iterable[Story]) -> Apart:
    """What editors said is no copy of each of the stories."""
    choices = room.story_links.choices([story.id for story in stories])
    return {
        name: {other for other, choice in others.items() if choice is Choice.APART} for name, others in choices.items()
    }


def _looked_at(rows: Sequence[StoryRow]) -> Iterator[tuple[Story, Story]]:
    """The pairs of a cluster that are compared: all, or in a large one each with those published next."""
    stories = sorted((row.story for row in rows), key=lambda story: (story.published_at, story.id))
    for at, story in enumerate(stories):
        yield from ((story, other) for other in stories[at + 1 : at + 1 + MOST_COMPARED])


def _lead(room: Newsroom, group: Sequence[Story]) -> str:
    sources = room.plan.sources

    def order(story: Story) -> tuple[int, float, str]:
        source = sources.get(story.source)
        return -(source.priority if source else 0), story.published_at.timestamp(), story.id

    return min(group, key=order).id


def _groups(names: Collection[str], pairs: Iterable[Pair]) -> Iterator[list[str]]:
    """The names in groups that the pairs connect."""
    neighbours: dict[str, list[str]] = {name: [] for name in names}
    for one, other in pairs:
        neighbours[one].append(other)
        neighbours[other].append(one)
    left = set(names)
    while left:
        found, todo = set[str](), [left.pop()]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += neighbours[name]
        left -= found
        yield sorted(found)


def _near_identical(one: Story, other: Story) -> bool:
    if abs(one.published_at - other.published_at) > COPIES_WITHIN:
        return False
    return cosine(read(text_of(one)).terms, read(text_of(other)).terms) >= NEAR_IDENTICAL


def _said(choices: Mapping[str, Mapping[str, Choice]], wanted: Choice) -> Iterator[Pair]:
    for one, others in choices.items():
        yield from (_named(one, other) for other, choice in others.items() if choice is wanted)


def _named(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)
