"""Related reading and copies, computed when stories arrive and kept: only what is new, and what it touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.compose import COPIES_WITHIN, KEPT, WINDOW, Offer, rank
from newsletter.errors import InputError
from newsletter.model import Story, StoryStatus
from newsletter.newsroom.intake.copies import settle_copies
from newsletter.newsroom.room import Newsroom
from newsletter.storage import Choice, Kept, StoryRow
from newsletter.words import read, text_of

__all__ = [
    "Choice",
    "Kept",
    "Round",
    "Suggestion",
    "choose",
    "forget",
    "keep_up",
    "kept",
    "offers",
    "offers_kept",
    "suggestions",
    "take_in",
]

AT_ONCE = 200
TAKEN_IN = 20_000
LOOKED_AT = 40
# As many as Lucene's MoreLikeThis asks for.
MOST_TERMS = 25
MOST_SEEN = 20_000

# Of the pairs on the headline clusters with that score, nine in ten are of one event.
SAME_EVENT = 0.35

SETTLING = "related reading"
PINNED = ("chosen by an editor",)

Progress = Callable[[int, int], None]
"""Called with how many stories are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two stories that may tell of one event: for an editor to say."""

    story: Story
    other: Story
    score: float
    reasons: tuple[str, ...]


def keep_up(room: Newsroom, *, at_most: int | None = None, progress: Progress | None = None) -> int:
    """Compute what waits: the index learns what changed, then copies and related reading of the latest stories first.

    `at_most` bounds how many stories are done; the rest waits for the next call. Returns how many were done. When
    another process is at it, it does ours too, and nothing is done here.
    """
    with room.database.hold(SETTLING) as held:
        if not held:
            return 0
        take_in(room)
        total = room.story_links.count_waiting()
        total = total if at_most is None else min(total, at_most)
        done = 0
        work = Round(room)
        while done < total and (batch := room.story_links.waiting(min(AT_ONCE, total - done))):
            work.settle(batch)
            done += len(batch)
            if progress is not None:
                progress(done, total)
        return done


def offers(room: Newsroom, stories: Sequence[Story]) -> Mapping[str, Sequence[Offer]]:
    """What may be offered under each story, by id: an editor's pins, then what was computed, without their bans and
    without what is not ready (or was kept back in another copy)."""
    ids = [story.id for story in stories]
    now: dict[str, Sequence[Kept]] = {}
    if waiting := room.story_links.waiting(len(ids), ids):
        take_in(room)
        work = Round(room)
        with room.database.hold(SETTLING) as held:
            if held:
                work.settle(waiting)
            else:  # whoever has it settles and keeps them; two at once would each leave the other's copies to the other
                now = {each.story.id: work.related(each.row, each.story) for each in waiting}
    return _offers(room, ids, now)


def offers_kept(room: Newsroom, story_id: str) -> Sequence[Offer]:
    """The same of one story, as far as it was computed before: this only looks."""
    return _offers(room, [story_id], {})[story_id]


def _offers(room: Newsroom, ids: Sequence[str], now: Mapping[str, Sequence[Kept]]) -> Mapping[str, Sequence[Offer]]:
    kept = {**room.story_links.kept(ids), **now}
    choices = room.story_links.choices(ids)
    named = {story_id: _named(kept.get(story_id, ()), choices.get(story_id, {})) for story_id in ids}
    statuses = room.stories.statuses({each.id for found in named.values() for each in found})
    others = room.stories.find([name for name, status in statuses.items() if status is StoryStatus.READY])
    return {
        story_id: [
            Offer(others[each.id], each.score, each.reasons, each.reasons == PINNED)
            for each in found
            if each.id in others
        ]
        for story_id, found in named.items()
    }


def kept(room: Newsroom, limit: int) -> Mapping[str, Sequence[Kept]]:
    """The related reading of every ready story, by story id; what waits to be computed has none (see `keep_up`)."""
    choices = room.story_links.choices()
    everything = room.story_links.kept()
    return {
        story_id: [each for each in _named(found, choices.get(story_id, {})) if each.id in everything][:limit]
        for story_id, found in everything.items()
    }


def choose(room: Newsroom, story_id: str, other: str, choice: Choice, who: str) -> None:
    """Pin or ban one story under another, or say that two are one (or not); raises `NotFoundError`, `InputError`."""
    if story_id == other:
        raise InputError(f"{story_id} is one story; name another one beside it")
    for name in (story_id, other):
        room.stories.get(name)
    for one, two in _ways(story_id, other, choice):
        room.story_links.choose(one, two, choice, who=who, now=room.clock.now())
    _settle_again(room, choice, (story_id, other))


def forget(room: Newsroom, story_id: str, other: str, choice: Choice) -> bool:
    """Take such a choice back; whether there was one."""
    ways = _ways(story_id, other, choice)
    there = [room.story_links.forget(one, two, choice) for one, two in ways]
    if any(there):
        _settle_again(room, choice, (story_id, other))
    return any(there)


def suggestions(room: Newsroom, story_id: str | None = None, *, limit: int = 50) -> list[Suggestion]:
    """Pairs of stories that may tell of one event, likeliest first: what no editor has said anything about."""
    if story_id is not None:
        room.stories.get(story_id)
    everything = room.story_links.kept(None if story_id is None else [story_id])
    choices = room.story_links.choices()
    pairs = {
        tuple(sorted((of, each.id))): (of, each)
        for of, found in everything.items()
        for each in found
        if each.score >= SAME_EVENT and not _said(choices, of, each.id)
    }
    best = sorted(pairs.values(), key=lambda pair: -pair[1].score)[: limit * 4]
    stories = room.stories.find({name for of, each in best for name in (of, each.id)})
    found = [Suggestion(stories[of], stories[each.id], each.score, each.reasons) for of, each in best]
    return [each for each in found if _may_be_one(each)][:limit]


def _ways(story_id: str, other: str, choice: Choice) -> list[tuple[str, str]]:
    """That two stories are one holds from both sides; a pin stands under one of them."""
    sides = [(story_id, other), (other, story_id)]
    return sides if choice in (Choice.TOGETHER, Choice.APART) else sides[:1]


def _named(kept: Sequence[Kept], choices: Mapping[str, Choice]) -> list[Kept]:
    pinned = [Kept(other, 1.0, PINNED) for other, choice in choices.items() if choice is Choice.PIN]
    return pinned + [each for each in kept if choices.get(each.id) not in (Choice.PIN, Choice.BAN)]


def _said(choices: Mapping[str, Mapping[str, Choice]], one: str, other: str) -> bool:
    said = (choices.get(one, {}).get(other), choices.get(other, {}).get(one))
    return Choice.TOGETHER in said or Choice.APART in said


def _may_be_one(pair: Suggestion) -> bool:
    near = abs(pair.story.published_at - pair.other.published_at) <= COPIES_WITHIN
    return near and (pair.story.cluster is None or pair.story.cluster != pair.other.cluster)


def _settle_again(room: Newsroom, choice: Choice, story_ids: Collection[str]) -> None:
    if choice in (Choice.TOGETHER, Choice.APART):
        room.story_links.recompute(list(room.story_links.rows_of(story_ids).values()))
        keep_up(room)


def take_in(room: Newsroom) -> None:
    """Let the index learn every change it does not know; one from another database's time is made anew."""
    from newsletter.storage.story_index import Indexed

    index = room.story_index
    with room.database.hold("story index") as held:
        index.refresh()
        if not held:
            return  # whoever has it takes in ours too
        if index.mark > room.story_links.last_change():
            index.clear()
        while True:
            batch, mark = room.story_links.changed_since(index.mark, TAKEN_IN)
            if not batch:
                return
            index.put((Indexed(each.row, text_of(each.story), each.story.published_at) for each in batch), mark)


@dataclass
class Round:
    """One round of settling stories; what it read of other stories serves the next of the round."""

    room: Newsroom
    seen: dict[int, Story | None] = field(default_factory=dict)

    def settle(self, batch: Sequence[StoryRow]) -> None:
        """Compute related reading and copies of the batch and, in the same transaction, the related reading of other
        stories that the batch belongs in."""
        mine = {each.row: each.story for each in batch}
        if len(self.seen) > MOST_SEEN:
            self.seen.clear()
        self.seen.update(mine)
        like = {row: self._like(row, story) for row, story in mine.items()}
        settle_copies(
            self.room,
            {row: (story, [each for other in like[row] if (each := self.seen[other])]) for row, story in mine.items()},
        )
        found: dict[int, Sequence[Kept]] = {row: self._ranked(story, like[row]) for row, story in mine.items()}
        for row, story in self._touched(mine, like, found).items():
            found[row] = self.related(row, story)
        revisions = {row: known.revision for row in found if (known := self.seen[row]) is not None}
        self.room.story_links.keep(found, revisions)

    def related(self, row: int, story: Story, limit: int = KEPT) -> Sequence[Kept]:
        """The related reading of one story, computed now."""
        return self._ranked(story, self._like(row, story), limit)

    def _like(self, row: int, story: Story) -> dict[int, float]:
        """Stories that share words with it, by row: their BM25 score as a part of its own."""
        found = self.room.story_index.like(
            self._asked(read(text_of(story)).terms),
            after=story.published_at - WINDOW,
            until=story.published_at + WINDOW,
            limit=LOOKED_AT,
        )
        own = next((score for each, score in found if each == row), None) or max(
            (score for _, score in found), default=1
        )
        self._look_up(each for each, _ in found)
        return {each: min(score / own, 1.0) for each, score in found if each != row and self.seen[each] is not None}

    def _asked(self, terms: Counter[str]) -> list[str]:
        """The most telling terms: the others of a long text cost time and change nothing."""
        if len(terms) <= MOST_TERMS:
            return list(terms)
        rarity = self.room.story_index.rarity
        return sorted(terms, key=lambda term: -terms[term] * rarity(term))[:MOST_TERMS]

    def _look_up(self, rows: Iterable[int]) -> None:
        unseen = [row for row in rows if row not in self.seen]
        if unseen:
            stories = self.room.story_links.stories_at(unseen)
            self.seen.update({row: stories.get(row) for row in unseen})

    def _ranked(self, story: Story, like: Mapping[int, float], limit: int = KEPT) -> list[Kept]:
        candidates = [(other, share) for row, share in like.items() if (other := self._ready(row))]
        ranked = rank(story, candidates, self.room.story_index.rarity, limit)
        return [Kept(offer.story.id, offer.score, offer.reasons) for offer in ranked]

    def _ready(self, row: int) -> Story | None:
        known = self.seen[row]
        return known if known is not None and known.status is StoryStatus.READY else None

    def _touched(
        self, mine: Mapping[int, Story], like: Mapping[int, Mapping[int, float]], found: Mapping[int, Sequence[Kept]]
    ) -> dict[int, Story]:
        """Stories outside the batch whose related reading one of it is in, or may belong in."""
        before = dict(self.room.story_links.kept_at(mine))
        rows_before = self.room.story_links.rows_of({each.id for rows in before.values() for each in rows})
        self._look_up(rows_before.values())
        near: dict[int, set[int]] = {
            row: {*like[row], *(rows_before[each.id] for each in before[row] if each.id in rows_before)} for row in mine
        }
        kept = self.room.story_links.kept_at({other for rows in near.values() for other in rows - mine.keys()})
        touched: dict[int, Story] = {}
        for row, story in mine.items():
            offered = {each.id: each.score for each in found[row]}
            for other in near[row] & kept.keys():
                known = self._ready(other)
                if known is not None and _belongs(story, offered.get(known.id), kept[other]):
                    touched[other] = known
        return touched


def _belongs(story: Story, score: float | None, kept: Sequence[Kept]) -> bool:
    """Whether another story's related reading has this one in it, or would take it. Seen from the other side the score
    is a little different, so that a little less is enough to look."""
    if any(each.id == story.id for each in kept):
        return True
    return score is not None and (len(kept) < KEPT or score * 1.25 >= min(each.score for each in kept))
