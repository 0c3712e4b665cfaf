"""Breaking news: one story, an issue of its own, ahead of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from newsletter import compose
from newsletter.errors import ChecksFailedError, InputError, NotFoundError
from newsletter.model import Issue, IssueId, Story, StoryStatus
from newsletter.newsroom.intake import related
from newsletter.newsroom.issue import issues
from newsletter.newsroom.issue.retelling import breaking_issues
from newsletter.newsroom.room import Newsroom
from newsletter.plan import EVERY, Newsletter

__all__ = ["break_news"]

TEMPLATE = "breaking"


def break_news(room: Newsroom, story_id: str, name: str | None = None, *, who: str) -> Issue:
    """Draft an issue of that one story, due now, in the newsletter of that name or the desk's only one for such news.

    It waits for an approval of its own, and in the newsletter's quiet hours leaves by itself only after them. Raises
    `ChecksFailedError` when the newsletter has had as many today as it may, and `InputError` for a story that it
    cannot carry.
    """
    newsletter = room.newsletter(name) if name else _only_one(room)
    story = _ready(room, story_id)
    now = room.clock.now()
    today = now.astimezone(newsletter.timezone).date()
    lately = breaking_issues(room, newsletter.name, now - timedelta(days=2))
    sent = [issue for issue in lately if issue.id.date == today]
    if len(sent) >= newsletter.breaking_per_day:
        raise ChecksFailedError(
            f"{newsletter.name} has had {len(sent)} breaking issues today, which is all that breaking_per_day allows;"
            f" `newsletter issue build {newsletter.name} --extra` makes an ordinary one"
        )
    carried = room.contents.carried((newsletter.name,), IssueId(newsletter.name, today, EVERY), [story_id])
    if story_id in carried:
        raise InputError(f"{carried[story_id]} has carried {story_id}, and no reader gets a story twice")
    alone = replace(newsletter, sections=())
    drafted = compose.compose(alone, today, [story], now, relate=partial(related.offers, room))
    if not drafted.placed:
        raise InputError(f"{story_id} is of {story.country or 'no country'}, and {newsletter.name} tells of others")
    snapshot = replace(drafted, template=TEMPLATE, breaking=True, segment=_with_breaking(newsletter.segment))
    least = 2 if newsletter.days else 1  # the first of a day is its regular one
    planned = room.issues.plan_another(newsletter.name, today, now, now, who, least=least)
    return issues.store(room, newsletter, planned, snapshot, window_end=None, who=who)


def _with_breaking(segment: Mapping[str, object]) -> Mapping[str, object]:
    """Who gets the newsletter, and besides those of its readers who chose to hear of breaking news alone."""
    said = segment.get("frequency")
    if said is None:
        return segment
    often = said if isinstance(said, list | tuple) else [said]
    return {**segment, "frequency": list(dict.fromkeys([*often, "breaking"]))}


def _ready(room: Newsroom, story_id: str) -> Story:
    story = room.stories.find([story_id]).get(story_id)
    if story is None:
        raise NotFoundError(f"there is no story {story_id!r}; `newsletter stories list` shows them")
    status = room.stories.statuses([story_id]).get(story_id, story.status)
    if status is not StoryStatus.READY:
        raise InputError(f"{story_id} is {status}, and only a story that is ready can be sent")
    if story.embargo is not None and story.embargo > room.clock.now():
        raise InputError(f"{story_id} is under embargo until {story.embargo:%Y-%m-%d %H:%M} UTC")
    return story


def _only_one(room: Newsroom) -> Newsletter:
    named = [each for each in room.plan.newsletters.values() if each.template == TEMPLATE]
    if len(named) != 1:
        raise InputError(
            f"name the newsletter; {len(named)} of schedule.yaml have template: {TEMPLATE}"
            + (f" ({', '.join(each.name for each in named)})" if named else "")
        )
    return named[0]
