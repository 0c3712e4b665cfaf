"""Move an issue to another time of its date, or have it run at once."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.newsroom.planning import scheduling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, asked_date_words, asked_issue, asked_time, followed
from newsletter.web.desk.schedule.sentences import approval_sentence, due_words

__all__ = ["schedule_move"]


def schedule_move(ask: Ask) -> Response:
    """Say when it will be due; posted, keep the decision. An empty time is at once."""
    assert ask.account is not None
    who, newsletter = ask.account.email, ask.room.newsletter(ask.path["name"])
    at_once = not asked(ask, "at")

    def tell() -> Sequence[str]:
        due_at = scheduling.check_move(ask.room, asked_issue(ask), asked_time(ask, "at"))
        if at_once:
            return ["Its draft is built now.", approval_sentence(newsletter)]
        return [
            f"It is sent {due_words(due_at, newsletter, ask.now)}.",
            "Draft, lock and the deadline of its approval move along.",
        ]

    def do() -> None:
        issue_id = asked_issue(ask)
        scheduling.move(
            ask.room,
            newsletter.name,
            issue_id.date,
            asked_time(ask, "at"),
            who=who,
            why=asked(ask, "why"),
            number=issue_id.number,
        )

    title = (
        f"Run {newsletter.title}{asked_date_words(ask)}, now"
        if at_once
        else f"Move {newsletter.title}{asked_date_words(ask)}"
    )
    return followed(
        ask,
        Order(
            title=title,
            button="Run it now" if at_once else "Move it",
            back=f"/schedules/{newsletter.name}",
            tell=tell,
            do=do,
            fields={name: asked(ask, name) for name in ("day", "number", "at", "why")},
        ),
    )
