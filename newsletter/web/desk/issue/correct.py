"""Something is wrong: correct one story of an issue, before, while or after it is sent."""

from __future__ import annotations

from types import MappingProxyType

from starlette.responses import RedirectResponse, Response

from newsletter.errors import ChecksFailedError, InputError, NothingToDoError
from newsletter.model import REACHED, UNSETTLED, Issue, StoryStatus
from newsletter.newsroom.dispatch import correcting
from newsletter.newsroom.intake import stories
from newsletter.web.asking import Ask, Form
from newsletter.web.pages import desk_page

__all__ = ["issue_correct"]

_NOTHING: Form = MappingProxyType({})


def issue_correct(ask: Ask) -> Response:
    """The stories with how they stand now; posted, the correction of one."""
    issue = ask.room.issues.get(ask.issue_id)
    if not ask.posted:
        return _page(ask, issue)
    story, notice = ask.field("story"), ask.field("notice").strip()
    if not story:
        return _page(ask, issue, notice="Choose the story that is wrong.", status=400)
    if "withdraw" in ask.form and not notice:
        told = "Say why the story is withdrawn: the reason is kept with it."
        return _page(ask, issue, notice=told, typed=ask.form, status=400)
    words = {name: ask.field(name) for name in stories.REWRITTEN}
    try:
        stories.rewrite(ask.room, story, words, who=ask.who, seen={name: ask.field(f"{name}_was") for name in words})
        if "withdraw" in ask.form and not _is_withdrawn(ask, story):
            stories.set_status(ask.room, story, StoryStatus.WITHDRAWN, ask.who, notice)
        done = correcting.correct(ask.room, issue.id, story, notice, who=ask.who)
    except (ChecksFailedError, NothingToDoError, InputError) as error:
        return _page(ask, issue, notice=str(error), typed=ask.form, status=409)
    finally:
        ask.figures.forget()
    # Who still waits for the issue comes first; the mail about the fault stands on the board beside it.
    after = done.issue if done.left or done.mail is None else done.mail
    return RedirectResponse(f"/issues/{after.id}", 303)


def _is_withdrawn(ask: Ask, story: str) -> bool:
    return ask.room.stories.statuses([story]).get(story) is StoryStatus.WITHDRAWN


def _page(ask: Ask, issue: Issue, *, notice: str = "", typed: Form = _NOTHING, status: int = 200) -> Response:
    counts = ask.room.deliveries.counts(issue.id) if issue.frozen_at else {}
    placed = issue.snapshot.placed if issue.snapshot else ()
    present = ask.room.stories.find([each.story.id for each in placed])
    return desk_page(
        ask,
        "issue_correct.html",
        status=status,
        notice=notice,
        issue=issue,
        address=f"/issues/{issue.id}",
        title=ask.title(issue),
        placed=placed,
        present=present,
        chosen=ask.query.get("id", "") or ask.field("story"),
        typed={name: values[0] for name, values in typed.items() if values},
        reached=sum(counts.get(state, 0) for state in REACHED),
        left=sum(counts.get(s, 0) for s in UNSETTLED),
    )
