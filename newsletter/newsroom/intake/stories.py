"""What an editor may do to a story: file, hold, reject, withdraw, and decide about its note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from newsletter.countries import country_called
from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import CountryOrigin, NoteOrigin, Story, StoryStatus, SummaryOrigin
from newsletter.newsroom.intake.related import take_in
from newsletter.newsroom.room import Newsroom

__all__ = [
    "approve_note",
    "copies_of",
    "file_under",
    "reject_note",
    "rewrite",
    "search",
    "set_status",
    "unfile",
    "write_note",
]

MOST_FOUND = 10_000

REWRITTEN = {"title": "headline", "summary": "summary"}

STEPS = {
    StoryStatus.READY: (StoryStatus.DRAFT, StoryStatus.HELD, StoryStatus.REJECTED, StoryStatus.WITHDRAWN),
    StoryStatus.HELD: (StoryStatus.DRAFT, StoryStatus.READY),
    StoryStatus.REJECTED: (StoryStatus.DRAFT, StoryStatus.READY, StoryStatus.HELD),
    StoryStatus.WITHDRAWN: (StoryStatus.DRAFT, StoryStatus.READY, StoryStatus.HELD, StoryStatus.REJECTED),
}


def search(
    room: Newsroom,
    words: str,
    *,
    country: str | None = None,
    source: str | None = None,
    status: StoryStatus | None = None,
    limit: int | None = None,
) -> Sequence[Story]:
    """The stories that hold all the words in title, summary or tags, best match first."""
    take_in(room)
    rows = room.story_index.holding(words, MOST_FOUND)
    return room.stories.rows(rows, country=country, source=source, status=status, limit=limit)


def file_under(room: Newsroom, story_id: str, place: str, who: str) -> Story:
    """File the story under a country (its code or English name) or a region of schedule.yaml.

    No source or rule overwrites that. Raises `InputError` for a place that no newsletter could have.
    """
    regions = room.plan.places
    if place not in regions:
        if (code := country_called(place)) is None:
            there = f", or one of {', '.join(regions)}" if regions else ""
            raise InputError(f"{place!r} is no country; write its ISO 3166-1 code, such as CN, or its name{there}")
        place = code

    def filed(story: Story) -> Story:
        also = tuple(other for other in story.also_countries if other != place)
        return replace(story, country=place, country_origin=CountryOrigin.EDITOR, also_countries=also)

    return room.stories.edit(story_id, filed, who=who, what=f"filed under {place}", now=room.clock.now())


def unfile(room: Newsroom, story_id: str, who: str) -> Story:
    """Take an editor's choice of country back: what its source sent, its tags or its words decide.

    Raises `NothingToDoError`.
    """
    from newsletter import gather

    sent = room.stories.as_sent(story_id)
    stated = sent.country if sent.country_origin is CountryOrigin.FEED else None

    def unfiled(story: Story) -> Story:
        if story.country_origin is not CountryOrigin.EDITOR:
            raise NothingToDoError(f"no editor has filed {story_id}")
        origin = sent.country_origin if stated else None
        fresh = replace(story, country=stated, country_origin=origin, also_countries=sent.also_countries)
        return gather.settle_country(fresh, room.plan)

    return room.stories.edit(story_id, unfiled, who=who, what="filing taken back", now=room.clock.now())


def set_status(room: Newsroom, story_id: str, status: StoryStatus, who: str, why: str = "") -> Story:
    """Hold, reject, withdraw or release the story; its source no longer decides. Raises `NothingToDoError`.

    What is held or withdrawn keeps its copies back too. To withdraw takes a reason: readers may ask for it.
    """
    if status is StoryStatus.WITHDRAWN and not why.strip():
        raise InputError(f"say why {story_id} is withdrawn; the reason is kept with it")

    def changed(story: Story) -> Story:
        if story.status is status:
            raise NothingToDoError(f"{story_id} is {status} already")
        if story.status not in STEPS[status]:
            raise InputError(f"{story_id} is {story.status}, and cannot become {status}")
        if status is StoryStatus.READY and not story.url:
            raise InputError(f"{story_id} has no link to where the full story stands; its source has to send one")
        return replace(story, status=status)

    return room.stories.edit(story_id, changed, who=who, what=str(status), why=why, now=room.clock.now())


def copies_of(room: Newsroom, story: Story) -> list[str]:
    """The ids of the other copies of a story, which are held and withdrawn with it."""
    rows = room.story_links.clusters([story.cluster]).get(story.cluster, ()) if story.cluster else ()
    return [row.story.id for row in rows if row.story.id != story.id]


def approve_note(room: Newsroom, story_id: str, who: str, *, note: Sequence[str] | None = None) -> Story:
    """Let readers see the story's note, under the editor's name.

    With `note`, only if the note still says just that: what was read is what is approved. Raises
    `ChecksFailedError` when it does not, `NothingToDoError` when there is nothing to approve.
    """

    def approved(story: Story) -> Story:
        if not story.note:
            raise NothingToDoError(f"{story_id} has no note; `newsletter stories draft {story_id}` asks for one")
        if note is not None and tuple(note) != story.note:
            raise ChecksFailedError(f"the note of {story_id} has changed since it was read; look at it again")
        if story.note_approved_by:
            raise NothingToDoError(f"the note of {story_id} was approved by {story.note_approved_by}")
        return replace(story, note_approved_by=who)

    return room.stories.edit(story_id, approved, who=who, what="note approved", now=room.clock.now())


def rewrite(
    room: Newsroom, story_id: str, words: Mapping[str, str], *, who: str, seen: Mapping[str, str] | None = None
) -> Story:
    """Put an editor's own `title` or `summary` in place of what the source sent, for good.

    With `seen`, what these said when the editor began, a field that is the same in both is left alone, and one that
    somebody else has changed since is not overwritten: `ChecksFailedError` tells how it stands now. Raises `InputError`
    for an empty title.
    """
    from newsletter.gather.cleaning import clean_text

    asked = {name: clean_text(text) for name, text in words.items() if name in REWRITTEN}
    if asked.get("title") == "":
        raise InputError(f"the headline of {story_id} is empty; `newsletter stories reject` takes a story away")

    def rewritten(story: Story) -> Story:
        changed = {name: text for name, text in asked.items() if text != getattr(story, name)}
        if seen is not None:
            before = {name: clean_text(text) for name, text in seen.items()}
            changed = {name: text for name, text in changed.items() if text != before.get(name, "")}
            for name in changed:
                if getattr(story, name) != before.get(name, ""):
                    raise ChecksFailedError(
                        f"the {REWRITTEN[name]} of {story_id} was changed by somebody else meanwhile; it says now:"
                        f" “{getattr(story, name)}”"
                    )
        if not changed:
            return story
        written = replace(story, title=changed.get("title", story.title), summary=changed.get("summary", story.summary))
        fields = tuple(changed)
        if "summary" in changed:
            written, fields = replace(written, summary_origin=SummaryOrigin.HUMAN), (*fields, "summary_origin")
        return replace(written, edited=tuple(dict.fromkeys((*story.edited, *fields))))

    what = " and ".join(REWRITTEN[name] for name in asked)
    return room.stories.edit(story_id, rewritten, who=who, what=f"{what} rewritten", now=room.clock.now())


def reject_note(room: Newsroom, story_id: str, who: str, why: str = "") -> Story:
    """Take the story's note away, for good: no source and no model puts one in its place."""

    def without(story: Story) -> Story:
        if not story.note:
            raise NothingToDoError(f"{story_id} has no note")
        return _edited(replace(story, note=(), note_provenance=None, note_approved_by=None))

    return room.stories.edit(story_id, without, who=who, what="note rejected", why=why, now=room.clock.now())


def write_note(room: Newsroom, story_id: str, words: str, who: str) -> Story:
    """Put an editor's own note in place of what is there, headed "Editor's note": paragraphs divided by empty lines.

    Raises `InputError` for what would not be shown whole.
    """
    from newsletter.gather.cleaning import NOTE_PARAGRAPHS, PARAGRAPH_LIMIT, clean_text, split_paragraphs

    note = tuple(text for text in map(clean_text, split_paragraphs(words)) if text)
    if not note:
        raise InputError("the note is empty; `newsletter stories note ID --reject` takes a note away")
    if len(note) > NOTE_PARAGRAPHS:
        raise InputError(f"the note has {len(note)} paragraphs, and {NOTE_PARAGRAPHS} at most are shown; join some")
    for number, text in enumerate(note, 1):
        if len(text) > PARAGRAPH_LIMIT:
            raise InputError(f"paragraph {number} of the note has {len(text)} characters; {PARAGRAPH_LIMIT} at most")

    def written(story: Story) -> Story:
        return _edited(
            replace(story, note=note, note_origin=NoteOrigin.HUMAN, note_provenance=None, note_approved_by=who)
        )

    return room.stories.edit(story_id, written, who=who, what="note written", now=room.clock.now())


def _edited(story: Story) -> Story:
    fields = ("note", "note_origin", "note_provenance", "note_approved_by")
    return replace(story, edited=tuple(dict.fromkeys((*story.edited, *fields))))
