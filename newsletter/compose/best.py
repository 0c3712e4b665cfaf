"""The week's best: in which order a digest takes stories, by what the desk itself made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from newsletter.model import Kind, Snapshot, Story

__all__ = ["Standing", "Standings", "best_first", "root", "standings_of"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What newsletters and sources made of one story, its copies counted in.

    `newsletters` carried it. `chosen` counts the issues that an editor led with it or that were breaking news of it,
    `put_first` those in which an editor's order has it first under its country. It was `dropped` by an editor and
    stands in none. `sources` brought it.
    """

    newsletters: frozenset[str] = frozenset()
    chosen: int = 0
    put_first: int = 0
    dropped: bool = False
    sources: int = 1


Standings = Mapping[str, Standing]
"""By the root of a story and its copies; one that is missing stands in no issue and has no copies."""

_NEW = Standing()


def root(story: Story) -> str:
    """What all copies of a story share."""
    return story.cluster or story.id


def best_first(
    stories: Iterable[Story], standings: Standings, priority: Mapping[str, int] = MappingProxyType({})
) -> list[Story]:
    """The stories, the best first; what is alike in everything keeps its order.

    What an editor chose goes before what most newsletters carried, that before what most sources brought; then an
    editor's order, a note that somebody checked, the `priority` of the source. A press release stands behind all that
    as many newsletters carried, and what an editor dropped behind everything.
    """

    def order(story: Story) -> tuple[bool, int, int, bool, int, int, bool, int]:
        its = standings.get(root(story), _NEW)
        return (
            its.dropped,
            -its.chosen,
            -len(its.newsletters),
            story.kind is Kind.PRESS_RELEASE,
            -its.sources,
            -its.put_first,
            not story.shown_note,
            -priority.get(story.source, 0),
        )

    return sorted(stories, key=order)


def standings_of(
    told: Iterable[Snapshot], root_of: Callable[[str], str], sources: Mapping[str, int]
) -> dict[str, Standing]:
    """What the issues `told` say of each story, by its root; `sources` counts those that brought it or a copy.

    A mail that corrects an issue says nothing of how good its story is.
    """
    found = {name: Standing(sources=number) for name, number in sources.items()}
    dropped: set[str] = set()
    for snapshot in told:
        if snapshot.faulty is not None:
            continue
        dropped.update(map(root_of, snapshot.dropped))
        for section in snapshot.sections:
            for place, placed in enumerate(section.stories):
                name = root_of(placed.story.id)
                its = found.get(name, _NEW)
                led = snapshot.breaking or (snapshot.lead_chosen and snapshot.lead == placed.story.id)
                found[name] = replace(
                    its,
                    newsletters=its.newsletters | {snapshot.newsletter},
                    chosen=its.chosen + led,
                    put_first=its.put_first + (snapshot.arranged and place == 0),
                )
    for name in dropped:
        its = found.get(name, _NEW)
        found[name] = replace(its, dropped=not its.newsletters)
    return found
