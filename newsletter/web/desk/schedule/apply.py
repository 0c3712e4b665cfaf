"""Have every host of the desk follow the schedule.yaml that lies here."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from newsletter.errors import NothingToDoError, PlanError
from newsletter.newsroom.planning import applying
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.typed import applied_everywhere
from newsletter.web.pages import desk_page

__all__ = ["schedule_apply"]


def schedule_apply(ask: Ask) -> Response:
    """Show what would change on every host; posted, put in force what was shown, if the file is still that one."""
    assert ask.account is not None
    try:
        proposal = applying.propose(ask.room)
    except PlanError:
        return RedirectResponse("/schedules/file", 303)  # where its faults are shown
    if not ask.posted:
        return _page(ask, proposal)
    if ask.field("digest") != proposal.plan.digest:
        return _page(ask, proposal, "The file changed after you opened this page. This is how it stands now.", 409)
    try:
        applying.apply(ask.room, proposal, who=ask.account.email)
    except NothingToDoError as error:
        return _page(ask, proposal, f"{error}.", 409)
    ask.figures.forget()
    return RedirectResponse("/schedules", 303)


def _page(ask: Ask, proposal: applying.Proposal, notice: str = "", status: int = 200) -> Response:
    standing = applied_everywhere(ask)
    applied = standing.applied if standing else None
    same = applied is not None and applied.digest == proposal.plan.digest
    return desk_page(
        ask, "schedule_apply.html", status=status, proposal=proposal, applied=applied, same=same, notice=notice
    )
