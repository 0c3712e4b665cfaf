"""Pause a newsletter: none of its issues appears, until a date or until somebody resumes it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.newsroom.planning import foreseeing, scheduling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, asked_day, followed
from newsletter.web.desk.schedule.sentences import lost_sentences

__all__ = ["schedule_pause"]


def schedule_pause(ask: Ask) -> Response:
    """Say which issues will be skipped; posted, keep the decision."""
    assert ask.account is not None
    who, newsletter = ask.account.email, ask.room.newsletter(ask.path["name"])

    def tell() -> Sequence[str]:
        until = asked_day(ask, "until")
        foreseen = foreseeing.pausing(ask.room, newsletter.name, None, until)
        return list(lost_sentences(newsletter, foreseen, ask.now, endless=until is None))

    def do() -> None:
        until = asked_day(ask, "until")
        scheduling.pause(ask.room, newsletter.name, who=who, why=asked(ask, "why"), until=until)

    fields = {name: asked(ask, name) for name in ("until", "why")}
    back = f"/schedules/{newsletter.name}"
    return followed(
        ask, Order(title=f"Pause {newsletter.title}", button="Pause", back=back, tell=tell, do=do, fields=fields)
    )
