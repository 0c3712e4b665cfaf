"""Plan one more issue of a newsletter, on any date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.responses import Response

from newsletter.errors import InputError
from newsletter.newsroom.planning import scheduling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, asked_date_words, asked_day, asked_time, followed
from newsletter.web.desk.schedule.sentences import approval_sentence, due_words

__all__ = ["schedule_extra"]


def schedule_extra(ask: Ask) -> Response:
    """Say when it will be due; posted, plan it. An empty time is at once."""
    assert ask.account is not None
    who, newsletter = ask.account.email, ask.room.newsletter(ask.path["name"])

    def tell() -> Sequence[str]:
        at = asked_time(ask, "at")
        due_at = scheduling.check_extra(ask.room, newsletter.name, _day(ask), at)
        if at is None:
            return ["One more issue is planned, and its draft is built now.", approval_sentence(newsletter)]
        due = due_words(due_at, newsletter, ask.now)
        return [f"One more issue is due {due}.", "It is built, approved and sent as any other."]

    def do() -> None:
        at, why = asked_time(ask, "at"), asked(ask, "why")
        scheduling.add_issue(ask.room, newsletter.name, _day(ask), at, who=who, why=why)

    return followed(
        ask,
        Order(
            title=f"An extra issue of {newsletter.title}{asked_date_words(ask)}",
            button="Plan it",
            back=f"/schedules/{newsletter.name}",
            tell=tell,
            do=do,
            fields={name: asked(ask, name) for name in ("day", "at", "why")},
        ),
    )


def _day(ask: Ask) -> date:
    day = asked_day(ask, "day")
    if day is None:
        raise InputError("name the date of the issue")
    return day
