"""What an editor makes of the stories of a draft: put elsewhere, taken out or in, put first. From value to value.

Whatever the change, related reading is chosen anew, for nothing is offered under one story that the issue itself tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from newsletter.compose.selection import lead_of
from newsletter.errors import InputError
from newsletter.model import CountrySection, PlacedStory, Snapshot, Story

__all__ = ["Place", "kept", "led_by", "moved", "related_anew", "taken_in", "taken_out"]

Place = Callable[[Sequence[Story]], Callable[[Story], PlacedStory]]
"""How the stories of one issue stand in it (see `placing`)."""

Rows = dict[str, list[Story]]
"""The stories by country, in reading order."""


def moved(
    snapshot: Snapshot, story_id: str, place: Place, order: Sequence[str], *, country: str, before: str | None
) -> Snapshot:
    """The story under `country`, in front of the story `before` there, or behind all.

    `order` is the newsletter's countries. Raises `InputError` for what the issue does not tell.
    """
    story = _told(snapshot, story_id)
    rows = {name: [each for each in held if each.id != story_id] for name, held in _rows(snapshot).items()}
    after = _put(rows, story, order, country, before)
    if {name: held for name, held in after.items() if held} == _rows(snapshot):
        return snapshot
    return _with(snapshot, after, place, order)


def taken_in(
    snapshot: Snapshot, story: Story, place: Place, order: Sequence[str], *, country: str, before: str | None = None
) -> Snapshot:
    """The issue with one more story; raises `InputError` where it tells that already."""
    if any(placed.story.id == story.id for placed in snapshot.placed):
        raise InputError(f"{story.id} stands in the issue already")
    dropped = tuple(each for each in snapshot.dropped if each != story.id)
    rows = _put(_rows(snapshot), story, order, country, before)
    return _with(replace(snapshot, dropped=dropped), rows, place, order)


def taken_out(snapshot: Snapshot, story_id: str, place: Place, order: Sequence[str]) -> Snapshot:
    """The issue without the story, which it remembers as dropped."""
    story = _told(snapshot, story_id)
    rows = {name: [each for each in held if each is not story] for name, held in _rows(snapshot).items()}
    dropped = (*(each for each in snapshot.dropped if each != story_id), story_id)
    return _with(replace(snapshot, dropped=dropped), rows, place, order)


def led_by(snapshot: Snapshot, story_id: str | None) -> Snapshot:
    """The issue with that story as its lead, which opens the subject line; None leaves it to the order again."""
    if story_id is None:
        first = lead_of(placed.story for placed in snapshot.placed)
        return replace(snapshot, lead=first, lead_chosen=False)
    return replace(snapshot, lead=_told(snapshot, story_id).id, lead_chosen=True)


def kept(fresh: Snapshot, old: Snapshot, present: Mapping[str, Story], place: Place, order: Sequence[str]) -> Snapshot:
    """A `fresh` snapshot with the stories that an editor arranged in the `old` one, each as it is at `present`; what is
    not there any more is left out."""
    rows = {name: [present[story.id] for story in held if story.id in present] for name, held in _rows(old).items()}
    said = replace(fresh, lead=old.lead, lead_chosen=old.lead_chosen, dropped=old.dropped)
    return _with(said, rows, place, order)


def related_anew(snapshot: Snapshot, place: Place) -> Snapshot:
    """The issue as it is, with what is offered under its stories chosen once more."""
    placed = place([each.story for each in snapshot.placed])
    sections = tuple(
        replace(section, stories=tuple(placed(each.story) for each in section.stories)) for section in snapshot.sections
    )
    return replace(snapshot, sections=sections)


def _told(snapshot: Snapshot, story_id: str) -> Story:
    for placed in snapshot.placed:
        if placed.story.id == story_id:
            return placed.story
    raise InputError(f"the issue does not tell {story_id}")


def _rows(snapshot: Snapshot) -> Rows:
    return {section.country: [placed.story for placed in section.stories] for section in snapshot.sections}


def _put(rows: Rows, story: Story, order: Sequence[str], country: str, before: str | None) -> Rows:
    if country not in order:
        raise InputError(f"{country} is none of the newsletter's countries; they are {', '.join(order)}")
    held = list(rows.get(country, ()))
    at = next((at for at, each in enumerate(held) if each.id == before), len(held))
    return rows | {country: [*held[:at], story, *held[at:]]}


def _with(snapshot: Snapshot, rows: Rows, place: Place, order: Sequence[str]) -> Snapshot:
    stories = {country: rows[country] for country in dict.fromkeys((*order, *rows)) if rows.get(country)}
    told = [story for held in stories.values() for story in held]
    placed = place(told)
    sections = tuple(CountrySection(country, tuple(map(placed, held))) for country, held in stories.items())
    stays = snapshot.lead_chosen and any(story.id == snapshot.lead for story in told)
    lead = snapshot.lead if stays else lead_of(told)
    return replace(snapshot, sections=sections, lead=lead, lead_chosen=stays, arranged=True)
