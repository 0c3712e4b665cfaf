"""What editors do to a draft: their own words, the order of its stories, what it tells and what not; and undo.

Each change makes a new revision and voids an approval. A later build keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from textwrap import shorten

from newsletter.compose import arranging
from newsletter.errors import ChecksFailedError, InputError, NotFoundError, NothingToDoError
from newsletter.model import EDITABLE, OPEN, Issue, IssueId, Snapshot, Story
from newsletter.newsroom.dispatch import correcting
from newsletter.newsroom.issue import issues, previews
from newsletter.newsroom.room import Newsroom
from newsletter.plan import Newsletter

__all__ = ["Tray", "drop", "edit", "lead", "move", "relate", "restore", "spread", "take_in", "telling", "tray"]

_TITLE = 60

Change = Callable[[Newsletter, Issue, Snapshot], Snapshot]


@dataclass(frozen=True, slots=True)
class Tray:
    """What an issue could tell and does not: stories that came in after its draft was built (`since`), those that found
    no room in it, and those that an editor dropped."""

    since: datetime | None
    new: Sequence[Story]
    left_out: Sequence[Story]
    dropped: Sequence[Story]


def edit(
    room: Newsroom,
    issue_id: IssueId,
    *,
    subject: str | None = None,
    preheader: str | None = None,
    word: Sequence[str] | None = None,
    who: str,
) -> Issue:
    """Give the issue an editor's own words; an empty one gives it back to the machine, None leaves it as it is.

    Raises `NothingToDoError` for an issue that is on its way.
    """

    def changed(_newsletter: Newsletter, _issue: Issue, drafted: Snapshot) -> Snapshot:
        return replace(
            drafted,
            subject=drafted.subject if subject is None else subject.strip() or None,
            preheader=drafted.preheader if preheader is None else preheader.strip() or None,
            word=drafted.word if word is None else tuple(filter(None, (paragraph.strip() for paragraph in word))),
        )

    given = {"subject": subject, "preheader": preheader, "word": word}
    what = " and ".join(name for name, value in given.items() if value is not None)
    return _change(room, issue_id, changed, who, f"{what} edited")


def move(
    room: Newsroom, issue_id: IssueId, story_id: str, *, who: str, country: str | None = None, before: str | None = None
) -> Issue:
    """Put a story in front of another one, or behind all of its country; under another `country` of the newsletter,
    too.

    Raises `InputError` for a story or country that the issue does not have.
    """

    def changed(newsletter: Newsletter, issue: Issue, drafted: Snapshot) -> Snapshot:
        return arranging.moved(
            drafted,
            story_id,
            issues.place(room, newsletter, issue),
            newsletter.countries,
            country=country or _place_of(drafted, story_id),
            before=before,
        )

    return _change(room, issue_id, changed, who, f"moved {_called(room, story_id)}", arranges=True)


def drop(room: Newsroom, issue_id: IssueId, story_id: str, *, who: str) -> Issue:
    """Take a story out of the issue; no build brings it back."""

    def changed(newsletter: Newsletter, issue: Issue, drafted: Snapshot) -> Snapshot:
        return arranging.taken_out(drafted, story_id, issues.place(room, newsletter, issue), newsletter.countries)

    return _change(room, issue_id, changed, who, f"dropped {_called(room, story_id)}", arranges=True)


def take_in(
    room: Newsroom, issue_id: IssueId, story_id: str, *, who: str, country: str | None = None, before: str | None = None
) -> Issue:
    """Put a story into the issue: one of its tray, or any other that is ready.

    Raises `InputError` for one that the issue tells, an earlier one has told, or that is not ready.
    """
    story = issues.ready(room, [story_id]).get(story_id)
    if story is None:
        known = room.stories.find([story_id]).get(story_id)
        if known is None:
            raise NotFoundError(f"there is no story {story_id!r}; `newsletter stories list` shows them")
        raise InputError(f"{story_id} is {known.status}; only a story that is ready can be told")

    def changed(newsletter: Newsletter, issue: Issue, drafted: Snapshot) -> Snapshot:
        carried = room.contents.carried((newsletter.name, *newsletter.not_again_from), issue_id, [story_id])
        if story_id in carried:
            raise InputError(f"{carried[story_id]} has carried {story_id}, and no reader gets a story twice")
        places = filter(None, (country, story.country, *story.also_countries))
        under = next((place for place in places if place in newsletter.countries), country or story.country or "")
        return arranging.taken_in(
            drafted,
            story,
            issues.place(room, newsletter, issue),
            newsletter.countries,
            country=under,
            before=before,
        )

    return _change(room, issue_id, changed, who, f"took in {_called(room, story_id)}", arranges=True)


def lead(room: Newsroom, issue_id: IssueId, story_id: str | None, *, who: str) -> Issue:
    """Let that story of the issue open its subject line, wherever it stands; None leaves it to the order again."""

    def changed(_newsletter: Newsletter, _issue: Issue, drafted: Snapshot) -> Snapshot:
        return arranging.led_by(drafted, story_id)

    what = f"led by {_called(room, story_id)}" if story_id else "led by its first story"
    return _change(room, issue_id, changed, who, what)


def relate(room: Newsroom, issue_id: IssueId, *, who: str) -> Issue:
    """Choose related reading anew, after an editor has pinned or banned some."""

    def changed(newsletter: Newsletter, issue: Issue, drafted: Snapshot) -> Snapshot:
        return arranging.related_anew(drafted, issues.place(room, newsletter, issue))

    return _change(room, issue_id, changed, who, "related reading chosen anew")


def restore(room: Newsroom, issue_id: IssueId, revision: int, *, who: str, seen: int | None = None) -> Issue:
    """Have the issue say again what it said in an earlier revision, in a new one; stories are told as they are now.

    With `seen`, the revision that `who` looked at, raises `ChecksFailedError` where somebody has changed it since.
    """
    kept = room.revisions.get(issue_id, revision)

    def changed(newsletter: Newsletter, issue: Issue, drafted: Snapshot) -> Snapshot:
        if seen not in (None, issue.revision):
            raise ChecksFailedError(f"{issue_id} was changed by {issue.edited_by or who} meanwhile; look at it again")
        present = issues.ready(room, [placed.story.id for placed in kept.placed])
        words = replace(
            drafted, subject=kept.subject, preheader=kept.preheader, word=kept.word, corrections=drafted.corrections
        )
        back = arranging.kept(words, kept, present, issues.place(room, newsletter, issue), newsletter.countries)
        return replace(back, arranged=kept.arranged)

    return _change(room, issue_id, changed, who, f"back to revision {revision}", arranges=True)


def tray(room: Newsroom, issue: Issue) -> Tray:
    """What an editor may still take into the issue."""
    drafted = previews.drafted(issue)
    if issue.state not in EDITABLE or drafted.faulty is not None or drafted.breaking:
        return Tray(issue.window_end, (), (), ())
    newsletter = room.newsletter(issue.id.newsletter)
    window = issues.window(room, newsletter, issue.id, room.clock.now(), issue.due_at)
    told = [placed.story.id for placed in drafted.placed]
    # Copies of what the issue tells are as little news to its readers as copies of what was told before.
    carried = [*window.carried, *room.stories.find(told).values()]
    others = replace(window, carried=carried).fitting(newsletter, issue.id)
    offered = [story for story in others if story.id not in drafted.dropped]
    new = [story for story in offered if _came_after(story, issue.window_end)]
    left_out = [story for story in offered if story not in new]
    dropped = issues.ready(room, drafted.dropped)
    return Tray(issue.window_end, new, left_out, [dropped[name] for name in drafted.dropped if name in dropped])


def telling(room: Newsroom, story_id: str, besides: IssueId | None = None) -> list[IssueId]:
    """The issues, of those that may still be changed, that tell the story."""
    return [each for each in room.contents.carrying(story_id, OPEN) if each != besides]


def spread(room: Newsroom, story_id: str, issue_ids: Collection[IssueId], *, who: str) -> list[Issue]:
    """Bring the story, as it stands now, into each of the issues that tell it otherwise; returns those that changed."""
    return list(_spread(room, story_id, issue_ids, who))


def _spread(room: Newsroom, story_id: str, issue_ids: Collection[IssueId], who: str) -> Iterator[Issue]:
    for issue_id in issue_ids:
        if room.issues.get(issue_id).frozen_at is None:
            try:
                yield correcting.correct(room, issue_id, story_id, who=who).issue
            except NothingToDoError:
                continue  # it tells it so already


def _change(room: Newsroom, issue_id: IssueId, change: Change, who: str, what: str, *, arranges: bool = False) -> Issue:
    """Store what `change` makes of the draft as it stands now, whoever changed that a moment ago."""
    newsletter = room.newsletter(issue_id.newsletter)
    with issues.alone(room, issue_id):
        issue = room.issues.get(issue_id)
        if issue.state not in EDITABLE:
            raise NothingToDoError(f"{issue_id} is {issue.state}: its content is settled")
        drafted = previews.drafted(issue)
        if arranges and issue.frozen_at is not None:
            raise NothingToDoError(
                f"{issue_id} has reached readers; `newsletter issue correct {issue_id} --story ID` changes its rest"
            )
        if arranges and (drafted.breaking or drafted.faulty is not None):
            kind = "breaking news" if drafted.breaking else "a correction"
            raise InputError(f"{issue_id} is {kind}, which is of one story; `newsletter issue cancel` ends it")
        snapshot = change(newsletter, issue, drafted)
        if snapshot == drafted:
            return issue
        # Its window is that of the build: what came in since is still to come.
        return issues.store(room, newsletter, issue, snapshot, window_end=issue.window_end, who=who, what=what)


def _place_of(drafted: Snapshot, story_id: str) -> str:
    places = {placed.story.id: section.country for section in drafted.sections for placed in section.stories}
    return places.get(story_id, "")


def _came_after(story: Story, instant: datetime | None) -> bool:
    return instant is not None and story.gathered_at is not None and story.gathered_at > instant


def _called(room: Newsroom, story_id: str) -> str:
    story = room.stories.find([story_id]).get(story_id)
    return f"“{shorten(story.title, _TITLE, placeholder='…')}”" if story else story_id
