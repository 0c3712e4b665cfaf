"""Where each story stands in the mail on screen, and how many bytes it takes: Gmail shows no more than 102 KB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.model import Edition, RenderedEdition, Snapshot

__all__ = ["Spot", "edition_in", "spots_of", "story_in"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A story's place in the HTML: the id of its headline there, its own bytes, and those up to its end."""

    story: str
    title: str
    anchor: str
    size: int
    end: int


def spots_of(snapshot: Snapshot, rendered: RenderedEdition) -> Sequence[Spot]:
    """A spot for each story whose headline has the id that templates of ours give it, in the order of the mail.

    What stands behind the last headline, the foot of the mail too, counts as the last story's.
    """
    stories = [placed.story for held in snapshot.sections_of(rendered.edition) for placed in held.stories]
    found = {story.id: rendered.html.find(f'id="s{number}"') for number, story in enumerate(stories, 1)}
    shown = sorted((at, number, story) for number, story in enumerate(stories, 1) if (at := found[story.id]) >= 0)
    ends = [*(at for at, _, _ in shown[1:]), len(rendered.html)]
    spots, before = [], len(rendered.html[: shown[0][0]].encode()) if shown else 0
    for (_, number, story), end in zip(shown, ends, strict=True):
        bytes_to_end = len(rendered.html[:end].encode())
        spots.append(Spot(story.id, story.title, f"s{number}", bytes_to_end - before, bytes_to_end))
        before = bytes_to_end
    return spots


def story_in(place: str) -> str:
    """The story that a finding's place names (`story desk:12`, `version CN.en, story desk:12`); empty for none."""
    return place.rpartition("story ")[2] if "story " in place else ""


def edition_in(place: str) -> Edition | None:
    """The edition that a finding's place names."""
    words = place.partition(",")[0].split()
    return Edition.parse(words[1]) if len(words) == 2 and words[0] == "version" else None
