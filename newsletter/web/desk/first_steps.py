"""What to do first on a new desk, in order."""

from __future__ import annotations

from starlette.responses import Response

from newsletter.web.asking import Ask
from newsletter.web.pages import desk_page

__all__ = ["first_steps"]


def first_steps(ask: Ask) -> Response:
    """The steps, those that are done ticked off."""
    newsletters = list(ask.plan.newsletters)
    subscriptions = [ask.room.subscribers.count(name) for name in newsletters]
    return desk_page(
        ask,
        "first_steps.html",
        newsletters=newsletters,
        stories=sum(ask.room.stories.count_by_country().values()),
        readers=sum(number for each in subscriptions for status, number in each.items() if status == "confirmed"),
    )
