"""Decide about deliveries that came to nothing, or that nobody knows of."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import RedirectResponse, Response

from newsletter.errors import InputError, NothingToDoError
from newsletter.model import DeliveryState
from newsletter.newsroom.dispatch import outcomes
from newsletter.web.asking import Ask
from newsletter.web.desk.issue.page import issue_page

__all__ = ["issue_decide"]


def issue_decide(ask: Ask) -> Response:
    """Queue failures again; take what is on hold for handed over, or send it again."""
    decide = _DECISIONS.get(ask.field("act"))
    if decide is None:
        raise InputError("nothing was asked for that this screen knows")
    try:
        decide(ask)
    except NothingToDoError as error:
        return issue_page(ask, ask.room.issues.get(ask.issue_id), notice=str(error), status=409)
    finally:
        ask.figures.forget()
    return RedirectResponse(ask.same_view(f"/issues/{ask.issue_id}"), 303)  # seen again, it decides nothing again


def _retry(ask: Ask) -> None:
    state = DeliveryState(ask.field("state")) if ask.field("state") in set(DeliveryState) else DeliveryState.REJECTED
    outcomes.retry(ask.room, ask.issue_id, state=state, email=None, who=ask.who)


def _submitted(ask: Ask) -> None:
    outcomes.resolve(ask.room, ask.issue_id, resend=False, email=None, who=ask.who)


def _resend(ask: Ask) -> None:
    outcomes.resolve(ask.room, ask.issue_id, resend=True, email=None, who=ask.who)


_DECISIONS: dict[str, Callable[[Ask], None]] = {"retry": _retry, "submitted": _submitted, "resend": _resend}
