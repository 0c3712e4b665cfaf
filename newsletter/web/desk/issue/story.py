"""One story of an issue: its words, its note, what is offered under it, and the other issues that tell it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import Issue, IssueId, PlacedStory, Story
from newsletter.newsroom.intake import related, stories
from newsletter.newsroom.issue import editing
from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page, may

__all__ = ["issue_story", "issue_story_change"]


def issue_story(ask: Ask) -> Response:
    """The story that the query names."""
    issue = ask.room.issues.get(ask.issue_id)
    return _page(ask, issue, _placed(issue, ask.query.get("id", "")))


def issue_story_change(ask: Ask) -> Response:
    """Do to it what the button says; this issue and the ticked ones take it over."""
    issue = ask.room.issues.get(ask.issue_id)
    placed = _placed(issue, ask.query.get("id", ""))
    act = _ACTS.get(ask.field("act"))
    if act is None:
        raise InputError("nothing was asked for that this screen knows")
    if issue.frozen_at is not None:
        told = "This issue has reached readers; “Something is wrong”, on its screen, changes its rest."
        return _page(ask, issue, placed, notice=told, typed=ask.form, status=409)
    if act in (_approve_note, _reject_note) and _is_typed(ask):
        told = "You have written something here. Save it first, then decide about the note."
        return _page(ask, issue, placed, notice=told, typed=ask.form, status=409)
    try:
        act(ask, placed.story.id)
        others = [IssueId.parse(name) for name in ask.form.get("also", ())]
        editing.spread(ask.room, placed.story.id, [issue.id, *others], who=ask.who)
        if act in (_pin, _ban, _unpin):
            editing.relate(ask.room, issue.id, who=ask.who)
    except (ChecksFailedError, NothingToDoError, InputError) as error:
        return _page(ask, issue, placed, notice=str(error), typed=ask.form, status=409)
    finally:
        ask.figures.forget_checks()
    back = f"/issues/{issue.id}"
    if act is not _save:
        back += f"/story?{urlencode({'id': placed.story.id})}"
    return RedirectResponse(back, 303)


def _page(
    ask: Ask,
    issue: Issue,
    placed: PlacedStory,
    *,
    notice: str = "",
    typed: Mapping[str, tuple[str, ...]] | None = None,
    status: int = 200,
) -> Response:
    story = ask.room.stories.find([placed.story.id]).get(placed.story.id, placed.story)
    says = _words(story)
    return desk_page(
        ask,
        "issue_story.html",
        status=status,
        notice=notice,
        issue=issue,
        address=f"/issues/{issue.id}",
        title=ask.title(issue),
        zone=ask.zone(issue),
        story=story,
        shown=placed,
        says=says,
        typed={name: next(iter((typed or {}).get(name, ())), text) for name, text in says.items()},
        changed=story.title != placed.story.title or story.summary != placed.story.summary,
        offers=related.offers_kept(ask.room, story.id),
        others=[ask.room.issues.get(each) for each in editing.telling(ask.room, story.id, besides=issue.id)],
        events=ask.room.stories.events(story.id),
        may_edit=may(ask, "issue_arrange"),
        title_of=ask.title,
    )


def _placed(issue: Issue, story_id: str) -> PlacedStory:
    for placed in issue.snapshot.placed if issue.snapshot else ():
        if placed.story.id == story_id:
            return placed
    raise InputError(f"{issue.id} does not tell {story_id}; it may have been dropped a moment ago")


def _words(story: Story) -> dict[str, str]:
    return {"title": story.title, "summary": story.summary, "note": "\n\n".join(story.note)}


def _paragraphs(text: str) -> tuple[str, ...]:
    parts = re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    return tuple(filter(None, (" ".join(part.split()) for part in parts)))


def _is_typed(ask: Ask) -> bool:
    """Whether the form holds words that are not saved."""
    names = (name for name in (*stories.REWRITTEN, "note") if name in ask.form)
    return any(_paragraphs(ask.field(name)) != _paragraphs(ask.field(f"{name}_was")) for name in names)


def _save(ask: Ask, story_id: str) -> None:
    seen = {name: ask.field(f"{name}_was") for name in stories.REWRITTEN}
    stories.rewrite(ask.room, story_id, {name: ask.field(name) for name in seen}, who=ask.who, seen=seen)
    note, before = (_paragraphs(ask.field(name)) for name in ("note", "note_was"))
    if note == before:
        return
    now = ask.room.stories.get(story_id).note
    if now != before:
        raise ChecksFailedError(f"the note was changed by somebody else meanwhile; it says now: “{' '.join(now)}”")
    if note:
        stories.write_note(ask.room, story_id, ask.field("note"), ask.who)
    else:
        stories.reject_note(ask.room, story_id, ask.who)


def _approve_note(ask: Ask, story_id: str) -> None:
    stories.approve_note(ask.room, story_id, ask.who, note=_paragraphs(ask.field("note_was")))


def _reject_note(ask: Ask, story_id: str) -> None:
    stories.reject_note(ask.room, story_id, ask.who)


def _pin(ask: Ask, story_id: str) -> None:
    related.choose(ask.room, story_id, ask.field("other").strip(), related.Choice.PIN, ask.who)


def _ban(ask: Ask, story_id: str) -> None:
    related.choose(ask.room, story_id, ask.field("other"), related.Choice.BAN, ask.who)


def _unpin(ask: Ask, story_id: str) -> None:
    related.forget(ask.room, story_id, ask.field("other"), related.Choice.PIN)


_ACTS: dict[str, Callable[[Ask, str], None]] = {
    "save": _save,
    "approve_note": _approve_note,
    "reject_note": _reject_note,
    "pin": _pin,
    "ban": _ban,
    "unpin": _unpin,
}
