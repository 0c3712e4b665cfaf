"""Skip a date: its issue does not appear."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.newsroom.planning import foreseeing, scheduling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, asked_date_words, asked_issue, followed
from newsletter.web.desk.schedule.sentences import lost_sentences

__all__ = ["schedule_skip"]


def schedule_skip(ask: Ask) -> Response:
    """Say what will be skipped; posted, keep the decision."""
    assert ask.account is not None
    who, newsletter = ask.account.email, ask.room.newsletter(ask.path["name"])

    def tell() -> Sequence[str]:
        foreseen = foreseeing.skipping(ask.room, asked_issue(ask))
        return list(lost_sentences(newsletter, foreseen, ask.now, endless=False))

    def do() -> None:
        issue_id = asked_issue(ask)
        day, number = issue_id.date, issue_id.number
        scheduling.skip(ask.room, newsletter.name, day, who=who, why=asked(ask, "why"), number=number)

    fields = {name: asked(ask, name) for name in ("day", "number", "why")}
    title = f"Skip {newsletter.title}{asked_date_words(ask)}"
    back = f"/schedules/{newsletter.name}"
    return followed(ask, Order(title=title, button="Skip it", back=back, tell=tell, do=do, fields=fields))
