"""Arrange the stories of a draft: up, down, elsewhere, out, in, first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, InputError, NotFoundError, NothingToDoError
from newsletter.model import Issue, Snapshot
from newsletter.newsroom.issue import editing
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_arrange"]


def issue_arrange(ask: Ask) -> Response:
    """Do what the button says with the story it stands at, and show the issue as it stands then."""
    act = _ACTS.get(ask.field("act"))
    if act is None:
        raise InputError("nothing was asked for that this screen knows")
    try:
        act(ask, ask.room.issues.get(ask.issue_id))
    except (ChecksFailedError, NothingToDoError, InputError, NotFoundError) as error:
        return issue_page(ask, ask.room.issues.get(ask.issue_id), notice=str(error), status=409)
    finally:
        ask.figures.forget_checks()
    return RedirectResponse(ask.same_view(f"/issues/{ask.issue_id}"), 303)


def _up(ask: Ask, issue: Issue) -> None:
    held, at = _neighbours(ask, issue)
    if at > 0:
        _move(ask, before=held[at - 1])


def _down(ask: Ask, issue: Issue) -> None:
    held, at = _neighbours(ask, issue)
    if at + 1 < len(held):
        _move(ask, before=held[at + 2] if at + 2 < len(held) else None)


def _put(ask: Ask, _issue: Issue) -> None:
    """Where it was dragged to, or behind all of another country."""
    _move(ask, before=ask.field("before") or None, country=ask.field("country") or None)


def _move(ask: Ask, *, before: str | None, country: str | None = None) -> None:
    editing.move(ask.room, ask.issue_id, ask.field("story"), who=ask.who, country=country, before=before)


def _drop(ask: Ask, _issue: Issue) -> None:
    editing.drop(ask.room, ask.issue_id, ask.field("story"), who=ask.who)


def _add(ask: Ask, _issue: Issue) -> None:
    editing.take_in(ask.room, ask.issue_id, ask.field("story").strip(), who=ask.who)


def _lead(ask: Ask, issue: Issue) -> None:
    chosen = issue.snapshot is not None and issue.snapshot.lead_chosen and issue.snapshot.lead == ask.field("story")
    editing.lead(ask.room, ask.issue_id, None if chosen else ask.field("story"), who=ask.who)


_ACTS: dict[str, Callable[[Ask, Issue], None]] = {
    "up": _up,
    "down": _down,
    "put": _put,
    "drop": _drop,
    "add": _add,
    "lead": _lead,
}


def _neighbours(ask: Ask, issue: Issue) -> tuple[Sequence[str], int]:
    """The stories of its country, and where it stands among them."""
    held = _held(issue.snapshot, ask.field("story"))
    return held, held.index(ask.field("story"))


def _held(snapshot: Snapshot | None, story_id: str) -> Sequence[str]:
    for section in snapshot.sections if snapshot else ():
        names = [placed.story.id for placed in section.stories]
        if story_id in names:
            return names
    raise InputError(f"the issue does not tell {story_id}; somebody may have dropped it a moment ago")
