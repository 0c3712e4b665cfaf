"""Approve an issue by the link in an approver's mail, without a login."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.errors import ChecksFailedError, NothingToDoError
from newsletter.newsroom.issue import approving
from newsletter.newsroom.issue.approving import Link
from newsletter.newsroom.people import telling
from newsletter.web.asking import Ask
from newsletter.web.pages import NO_REFERRER, public_page
from newsletter.web.public.refusals import no_such_link

__all__ = ["approval"]


def approval(ask: Ask) -> Response:
    """GET shows the draft, what speaks against it and a button, and changes nothing: programs that scan mail open every
    link. POST approves the very draft that the link was made for, once, as the approver whom it names."""
    link = approving.link_of(ask.room, ask.path["token"])
    if link is None:
        return no_such_link(ask)
    if not ask.posted:
        return _page(ask, link)
    if ask.field("again") == "yes" and link.outdated and not (link.ended or link.foreign):
        telling.ask_again(ask.room, link)
        return _page(ask, link, mailed=True)
    if ask.field("approve") != "yes":
        return _page(ask, link, status=400)
    ask.figures.forget()
    trouble = ""
    try:
        approving.approve_by(ask.room, link)
    except ChecksFailedError as error:
        trouble = str(error)
    except NothingToDoError:
        pass  # the page says who was first
    link = approving.link_of(ask.room, ask.path["token"]) or link
    if trouble and link.usable:
        return _page(ask, link, trouble=trouble, status=409)
    return _page(ask, link, posted=not trouble)  # in the meantime it was approved, or its time came


def _page(
    ask: Ask, link: Link, *, trouble: str = "", mailed: bool = False, posted: bool = False, status: int | None = None
) -> Response:
    """The page of a link however it stands; its address stays out of whatever is opened from it."""
    issue = link.issue
    newsletter = ask.newsletter(issue.id.newsletter)
    checked = ask.figures.checked(issue) if link.usable and issue.snapshot else None
    return public_page(
        "approval.html",
        status=_status(link) if status is None else status,
        headers=NO_REFERRER,
        link=link,
        issue=issue,
        title=ask.title(issue),
        zone=ask.zone(issue),
        now=ask.now,
        readers=ask.figures.readers(issue) if issue.snapshot else 0,
        checked=checked,
        two=newsletter is not None and newsletter.approval.approvals > 1,
        differences=approving.differences(ask.room, link) if link.outdated else None,
        trouble=trouble,
        mailed=mailed,
        frame=f"{ask.request.url.path}/mail",
        done=posted and link.approved_first,
    )


def _status(link: Link) -> int:
    """What programs are told: an answer was given, or why the link can give none any more."""
    if link.issue.approved_by or link.usable or link.approved_first:
        return 200
    if link.foreign:
        return 403
    return 410 if link.ended else 409
