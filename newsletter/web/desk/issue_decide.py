"""Decide about deliveries that came to nothing, or that nobody knows of."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from newsletter.errors import InputError, NothingToDoError
from newsletter.model import DeliveryState
from newsletter.newsroom import outcomes
from newsletter.web.asking import Ask
from newsletter.web.desk.issue import issue_page

__all__ = ["issue_decide"]


def issue_decide(ask: Ask) -> Response:
    """Queue failures again; take what is on hold for handed over, or send it again."""
    decide = _DECISIONS.get(ask.field("act"))
    if decide is None:
        raise InputError("nothing was asked for that this screen knows")
    try:
        notice, status = decide(ask), 200
    except NothingToDoError as error:
        notice, status = str(error), 409
    ask.figures.forget()
    return issue_page(ask, ask.room.issues.get(ask.issue_id), notice=notice, status=status)


def _retry(ask: Ask) -> str:
    state = DeliveryState(ask.field("state")) if ask.field("state") in set(DeliveryState) else DeliveryState.REJECTED
    number = outcomes.retry(ask.room, ask.issue_id, state=state, email=None, who=ask.who)
    return f"{number:,} wait to be sent again."


def _submitted(ask: Ask) -> str:
    number, _ = outcomes.resolve(ask.room, ask.issue_id, resend=False, email=None, who=ask.who)
    return f"{number:,} are taken for handed over."


def _resend(ask: Ask) -> str:
    number, _ = outcomes.resolve(ask.room, ask.issue_id, resend=True, email=None, who=ask.who)
    return f"{number:,} wait to be sent again; some readers may get it twice."


_DECISIONS: dict[str, Callable[[Ask], str]] = {"retry": _retry, "submitted": _submitted, "resend": _resend}
