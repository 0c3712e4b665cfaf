"""Make an issue by hand whose hour has passed: missed, failed, or never made."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from newsletter.newsroom.issue import issues
from newsletter.newsroom.planning import backfilling
from newsletter.web.asking import Ask
from newsletter.web.desk.schedule.orders import Order, asked, asked_date_words, asked_issue, followed
from newsletter.web.words import STATE_WORDS

__all__ = ["schedule_run"]


def schedule_run(ask: Ask) -> Response:
    """Say what the draft would hold; posted, build it. It is never sent by this."""
    assert ask.account is not None
    who, newsletter = ask.account.email, ask.room.newsletter(ask.path["name"])

    def tell() -> Sequence[str]:
        issue_id = asked_issue(ask)
        found = backfilling.would_build(ask.room, newsletter.name, issue_id.date, issue_id.number)
        number = len(found.snapshot.placed)
        because = f": {found.reason}" if found.reason else ""
        return [
            f"A draft is built from the stories that are here: {number} {'story' if number == 1 else 'stories'}.",
            f"It is then {STATE_WORDS[found.state]}{because}.",
            "No source is asked first, and nothing is sent before somebody approves it.",
        ]

    def do() -> None:
        issue_id = asked_issue(ask)
        issues.build(ask.room, newsletter.name, issue_id.date, number=issue_id.number, who=who)

    fields = {name: asked(ask, name) for name in ("day", "number")}
    title = f"Make {newsletter.title}{asked_date_words(ask)}, by hand"
    return followed(ask, Order(title=title, button="Build it", back=_back(ask), tell=tell, do=do, fields=fields))


def _back(ask: Ask) -> str:
    """To the issue that was made."""
    if not ask.posted:
        return f"/schedules/{ask.path['name']}"
    return f"/issues/{asked_issue(ask)}"
