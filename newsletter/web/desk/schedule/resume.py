"""Resume a newsletter: every pause of it ends."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.newsroom.planning import foreseeing, scheduling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, followed
from newsletter.web.desk.schedule.sentences import won_sentences

__all__ = ["schedule_resume"]


def schedule_resume(ask: Ask) -> Response:
    """Say which issues will appear again; posted, end the pauses."""
    assert ask.account is not None
    who, newsletter = ask.account.email, ask.room.newsletter(ask.path["name"])

    def tell() -> Sequence[str]:
        return list(won_sentences(newsletter, foreseeing.resuming(ask.room, newsletter.name), ask.now))

    return followed(
        ask,
        Order(
            title=f"Resume {newsletter.title}",
            button="Resume",
            back=f"/schedules/{newsletter.name}",
            tell=tell,
            do=lambda: scheduling.resume(ask.room, newsletter.name, who=who),
        ),
    )
